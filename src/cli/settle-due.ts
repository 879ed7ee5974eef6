import { countOf } from '../core/present/readable-text.ts'
import { formatHour } from '../core/time/hour.ts'
import { localActor } from '../flows/audit/local-actor.ts'
import { settleNow } from '../flows/settle/settle-now.ts'
import { CommandFailed, EXIT } from './command-failed.ts'
import { stopOnCtrlC } from './ctrl-c.ts'
import { type ReadOwnSettings, withDatabase } from './own-database.ts'
import { showProgress } from './progress.ts'
import type { SettleOptions } from './settle.ts'
import { printJson } from './terminal.ts'

/** Seal and settle what is due, once, and say how much it was. */
export async function settle({ now, json }: SettleOptions, readSettings: ReadOwnSettings): Promise<void> {
  const stop = stopOnCtrlC()
  let [hours, text] = [0, 'looking for hours that are due']
  const shown = showProgress(() => ({ share: undefined, text }))
  try {
    hours = await withDatabase(readSettings, (pool, { graceMs, historyQuietMs, identityWindowMs }) =>
      settleNow({
        pool,
        graceMs,
        identityWindowMs,
        historyQuietMs: now ? undefined : historyQuietMs,
        actor: localActor(),
        stopping: () => stop.signal.aborted,
        onSettled: ({ hour }) => (text = `settled ${formatHour(hour)}`),
      }),
    )
  } finally {
    shown.end()
    stop.done()
  }
  if (stop.signal.aborted) {
    throw new CommandFailed(
      'Stopped. What was settled stays; the server goes on with the rest.',
      EXIT.interrupted,
    )
  }
  if (json) return printJson({ hours })
  process.stdout.write(hours === 0 ? 'Nothing is due.\n' : `Settled ${countOf(String(hours), 'hour')}.\n`)
}
