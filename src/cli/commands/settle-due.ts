import { countOf } from '../../core/present/readable-text.ts'
import { formatHour, formatHourStart } from '../../core/time/hour.ts'
import { formatInstant } from '../../core/time/instant.ts'
import { localActor } from '../../flows/shared/local-actor.ts'
import { makeClockWatch, readClockState, sayClockIsRight } from '../../flows/settle/clock-watch.ts'
import { alarmText, delayText } from '../../flows/settle/clock-words.ts'
import { settleNow } from '../../flows/settle/settle-now.ts'
import { asideText } from '../../flows/settle/say-aside.ts'
import { run } from '../../store/query.ts'
import { listSetAside, type SetAside } from '../../store/set-aside.ts'
import type { Accepts } from '../../flows/settle/seal-hours.ts'
import type { Log } from '../../store/connect.ts'
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
  const { hours, alarm, delay, aside } = await withDatabase(readSettings, async (pool, settings) => {
    if (options.clockIsRight) await acceptClock(pool)
    // The clock of this process may be that of anybody's machine.
    const clock = makeClockWatch(SILENT, { graceMs: settings.graceMs, ownClock: null })
    await clock.look(pool)
    const hours = await settleShown(pool, settings, { ...options, accepts: clock.accepts })
    const aside = await run(pool, listSetAside, { limit: ASIDE_SHOWN })
    return { hours, aside, ...(await readClockState(pool)) }
  })
  if (options.json) {
    const sealing = alarm ? 'stopped' : delay ? 'delayed' : 'running'
    printJson({ hours, sealing, setAside: aside.map(asideView) })
  } else if (hours > 0 || aside.length === 0)
    print(hours === 0 ? 'Nothing is due.' : `Settled ${countOf(hours, 'hour')}.`)
  if (alarm) throw new CommandFailed(alarmText(alarm))
  refuseAside(aside)
  if (delay) throw new CommandFailed(`${delayText(delay)} \`farthing settle --clock-is-right\` seals now.`)
}

/** What the watch notes is said at the end. */
const SILENT: Log = { info() {}, warn() {}, error() {} }

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

async function settleShown(
  pool: Pool,
  settings: OwnSettings,
  { now, accepts }: SettleOptions & { readonly accepts: Accepts },
): Promise<number> {
  const { graceMs, backfillQuietMs, identityWindowMs } = settings
  const stop = stopOnCtrlC()
  let [done, due, text] = [0, 0, 'looking for hours that are due']
  const shown = showProgress(() => ({ share: due === 0 ? undefined : done / due, text }))
  try {
    const hours = await settleNow({
      pool,
      graceMs,
      accepts,
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
