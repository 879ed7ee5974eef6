import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { formatHour } from '../../core/time/hour.ts'
import type { Log } from '../../store/connect.ts'
import { pruneRefusedEvents } from '../../store/queries/prune-refused-events.ts'
import { run } from '../../store/query.ts'
import { settlePass } from './settle.ts'

/** Between two looks at what is due. The lag of a bill is at least this much uncertain. */
const PASS_INTERVAL_MS = 1_000
/** Refused events that are kept, for all accounts together. */
export const REFUSED_EVENTS_KEPT = 100_000

export interface SettlerOptions {
  readonly pool: pg.Pool
  readonly log: Log
  readonly graceMs: number
  readonly historyQuietMs: number
  readonly identityWindowMs: number
}

/** Settles what is due, again and again, in this process. Any number of processes may do so on one database. */
export function startSettler(options: SettlerOptions): { stop(): Promise<void> } {
  const abort = new AbortController()
  const loop = settleUntil(abort.signal, options)
  return {
    async stop() {
      abort.abort()
      await loop
    },
  }
}

async function settleUntil(signal: AbortSignal, { pool, log, ...settings }: SettlerOptions): Promise<void> {
  while (!signal.aborted) {
    try {
      const hours = await settlePass({
        pool,
        ...settings,
        stopping: () => signal.aborted,
        onSettled: ({ hour }, late) => log.info({ hour: formatHour(hour), late }, 'Settled an hour'),
      })
      if (hours > 0) await run(pool, pruneRefusedEvents, { kept: REFUSED_EVENTS_KEPT })
    } catch (error) {
      log.error({ err: error }, 'Settling failed: it goes on with the next pass')
    }
    await sleep(PASS_INTERVAL_MS, undefined, { signal }).catch(() => undefined)
  }
}
