import { countOf } from '../../core/present/readable-text.ts'
import { formatHour, formatHourStart } from '../../core/time/hour.ts'
import { formatInstant } from '../../core/time/instant.ts'
import { localActor } from '../../flows/shared/local-actor.ts'
import { findClockAlarm, sayClockIsRight } from '../../flows/settle/clock-watch.ts'
import { settleNow } from '../../flows/settle/settle-now.ts'
import { asideText } from '../../flows/settle/say-aside.ts'
import { run } from '../../store/query.ts'
import { listSetAside, type SetAside } from '../../store/set-aside.ts'
import type { Pool } from '../../store/reading-pool.ts'
import { CommandFailed, EXIT } from '../terminal/command-failed.ts'
import { stopOnCtrlC } from '../terminal/ctrl-c.ts'
import { type OwnSettings, type ReadOwnSettings, withDatabase } from '../own-database.ts'
import { showProgress } from '../terminal/progress.ts'
import { print, printJson, remark } from '../terminal/terminal.ts'

/** So many accounts that are set aside are shown. */
const ASIDE_SHOWN = 100

export interface SettleOptions {
  readonly now?: true
  readonly clockIsRight?: true
  readonly json?: true
}

/** Seal and settle what is due, once, and say how much it was. */
export async function settle(options: SettleOptions, readSettings: ReadOwnSettings): Promise<void> {
  const { hours, alarm, aside } = await withDatabase(readSettings, async (pool, settings) => {
    if (options.clockIsRight) await acceptClock(pool)
    const hours = await settleShown(pool, settings, options)
    const aside = await run(pool, listSetAside, { limit: ASIDE_SHOWN })
    return { hours, alarm: await findClockAlarm(pool), aside }
  })
  if (options.json) {
    printJson({ hours, sealing: alarm ? 'stopped' : 'running', setAside: aside.map(asideView) })
  } else if (hours > 0 || aside.length === 0)
    print(hours === 0 ? 'Nothing is due.' : `Settled ${countOf(hours, 'hour')}.`)
  if (!alarm) return refuseAside(aside)
  const [shown, expected] = [alarm.at, alarm.acceptedAt].map((at) => formatInstant(at))
  throw new CommandFailed(
    `Nothing is sealed: the database clock jumped to ${shown} when it was ${expected}. ` +
      'Set it right; or, if it is right, run `farthing settle --clock-is-right`.',
  )
}

function asideView({ account, bucket, hour, since, attempts, code, reason }: SetAside) {
  const from = formatHourStart(hour)
  return { account: account || null, bucket, from, since: formatInstant(since), attempts, code, reason }
}

function refuseAside(aside: readonly SetAside[]): void {
  if (aside.length === 0) return
  const lines = aside.map((one) => `  ${asideText(one)}`)
  throw new CommandFailed(
    `Not settled, and set aside so that all others are:\n${lines.join('\n')}\nRepair what is stored, and run \`farthing settle\` again.`,
    EXIT.setAside,
  )
}

async function acceptClock(pool: Pool): Promise<void> {
  const wasAlarmed = await sayClockIsRight(pool, localActor())
  if (!wasAlarmed) remark('No clock alarm is open: hours are sealed.')
}

async function settleShown(pool: Pool, settings: OwnSettings, { now }: SettleOptions): Promise<number> {
  const { graceMs, backfillQuietMs, identityWindowMs } = settings
  const stop = stopOnCtrlC()
  let [done, due, text] = [0, 0, 'looking for hours that are due']
  const shown = showProgress(() => ({ share: due === 0 ? undefined : done / due, text }))
  try {
    const hours = await settleNow({
      pool,
      graceMs,
      identityWindowMs,
      backfillQuietMs: now ? undefined : backfillQuietMs,
      actor: localActor(),
      stopping: () => stop.signal.aborted,
      retryNow: true,
      onDue: (all) => (due = all),
      onSettled({ hour }) {
        done += 1
        text = `${done} of ${countOf(Math.max(due, done), 'hour')}, now after ${formatHour(hour)}`
      },
    })
    if (stop.signal.aborted) throw interrupted()
    return hours
  } finally {
    shown.end()
    stop.done()
  }
}

function interrupted(): CommandFailed {
  return new CommandFailed(
    'Stopped. What was settled stays; the server goes on with the rest.',
    EXIT.interrupted,
  )
}
