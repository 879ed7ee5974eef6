import {
  type Content,
  eventOf,
  processingContent,
  type ProcessingFact,
  requestContent,
  type RequestFact,
  storageContent,
  type StorageFact,
} from './facts.ts'
import { MeterError } from './meter-error.ts'
import { type MeterOptions, readOptions } from './options.ts'
import { beforeExit, holdProcess, quietTimer } from './runtime.ts'
import { type MeterStats, Taker } from './taker.ts'

export type { CloudEvent, Fact, ProcessingFact, RequestFact, StorageFact } from './facts.ts'
export { type Job, meterJob } from './meter-job.ts'
export { MeterError, type MeterErrorCode } from './meter-error.ts'
export type { MeterOptions, WhenFull } from './options.ts'
export type { MeterProblem } from './problem.ts'
export type { Quantity } from './quantity.ts'
export type { Adopted, OpenSpool, Spool, SpoolOwner, SpoolRecord } from './spool.ts'
export type { MeterStats } from './taker.ts'

/**
 * Takes facts about usage, and sees to it that each is counted once. Calls throw MeterError sdk/invalid_fact at once
 * for what the server would reject, sdk/closed after `close`, and sdk/queue_full if that is the rule. What they return
 * never rejects: true when the fact is taken (with a spool: when it is on disk), false when it was dropped.
 */
export interface Meter {
  /** A call of the API was answered. */
  request(fact: RequestFact): Promise<boolean>
  /** An operator has completed. */
  processing(fact: ProcessingFact): Promise<boolean>
  /** A dataset stores so many bytes from now on. */
  storage(fact: StorageFact): Promise<boolean>
  /**
   * Sends everything that was taken until now, open minutes included. @returns true when all of it is settled, false
   * when that took longer than `timeoutMs` (left out: as long as it takes)
   */
  flush(options?: { readonly timeoutMs?: number }): Promise<boolean>
  /**
   * Takes nothing more, sends the rest for at most `timeoutMs` (10,000), and stops. @returns false when something is
   * left: on disk if there is a spool, else it was told to `onProblem` as `unsent`
   */
  close(options?: { readonly timeoutMs?: number }): Promise<boolean>
  /** Counts since the start of this meter. */
  stats(): MeterStats
}

/** How long `close`, and the end of a process that has nothing left to do, try to send. */
export const CLOSE_MS = 10_000

/** @throws MeterError sdk/invalid_option, sdk/spool_unusable */
export function createMeter(options: MeterOptions): Meter {
  const settings = readOptions(options)
  const taker = new Taker(settings)
  let closing: Promise<boolean> | undefined
  const forget = beforeExit(() => {
    // Only for what is new since the last time, or a server that is down would keep the process for ever.
    if (taker.hasNews()) void flush({ timeoutMs: CLOSE_MS })
  })
  const take = (read: (now: number) => Content): Promise<boolean> => {
    if (closing) throw new MeterError('sdk/closed', 'The meter is closed: make a new one.')
    const content = read(Date.now())
    return taker.take(content, (newId) => eventOf(content, settings.source, newId))
  }
  const flush: Meter['flush'] = ({ timeoutMs } = {}) => within(timeoutMs, taker.flush())
  return {
    request: (fact) => take((now) => requestContent(fact, now)),
    processing: (fact) => take((now) => processingContent(fact, now)),
    storage: (fact) => take((now) => storageContent(fact, now)),
    flush,
    close({ timeoutMs = CLOSE_MS } = {}) {
      closing ??= within(timeoutMs, taker.flush()).then(async () => {
        forget()
        return taker.close()
      })
      return closing
    },
    stats: () => taker.stats(),
  }
}

/** True when the work is done in time. The process is kept alive meanwhile. */
async function within(timeoutMs: number | undefined, work: Promise<void>): Promise<boolean> {
  const release = holdProcess()
  try {
    const done = work.then(() => true)
    if (timeoutMs === undefined) return await done
    return await new Promise<boolean>((resolve, reject) => {
      const clear = quietTimer(() => resolve(false), timeoutMs)
      done.finally(clear).then(resolve, reject)
    })
  } finally {
    release()
  }
}
