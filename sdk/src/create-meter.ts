import { type Content, eventOf, processingContent, requestContent, storageContent } from './facts.ts'
import { refuseUnknown } from './known-members.ts'
import type { EndOptions, Meter } from './meter.ts'
import { invalidOption, MeterError } from './meter-error.ts'
import { type MeterOptions, readOptions } from './options.ts'
import { beforeExit, holdProcess, quietTimer } from './runtime.ts'
import { Taker } from './taker.ts'

export type { CloudEvent, Fact, ProcessingFact, RequestFact, StorageFact } from './facts.ts'
export type { EndOptions, Meter } from './meter.ts'
export { type Job, meterJob } from './meter-job.ts'
export { MeterError, type MeterErrorCode } from './meter-error.ts'
export type { MeterOptions, WhenFull } from './options.ts'
export type { MeterProblem } from './problem.ts'
export type { Quantity } from './quantity.ts'
export type { Adopted, OpenSpool, Spool, SpoolOwner, SpoolRecord } from './spool.ts'
export type { MeterStats } from './taker.ts'

/** How long `close`, and the end of a process that has nothing left to do, try to send. */
export const CLOSE_MS = 10_000

/** @throws MeterError sdk/invalid_option, sdk/spool_unusable */
export function createMeter(options: MeterOptions): Meter {
  const settings = readOptions(options)
  const taker = new Taker(settings)
  let closing: Promise<boolean> | undefined
  const forget = beforeExit(() => {
    // Only for what is new since the last time, or a server that is down would keep the process for ever.
    if (!taker.hasNews()) return
    void within(CLOSE_MS, taker.flush()).then((isSent) => {
      if (!isSent) taker.tellUnsent('before the process had nothing else to do')
    })
  })
  const take = (read: (now: number) => Content): Promise<boolean> => {
    if (closing) throw new MeterError('sdk/closed', 'The meter is closed: make a new one.')
    const content = read(Date.now())
    return taker.take(content, (newId) => eventOf(content, settings.source, newId))
  }
  return {
    request: (fact) => take((now) => requestContent(fact, now)),
    processing: (fact) => take((now) => processingContent(fact, now)),
    storage: (fact) => take((now) => storageContent(fact, now)),
    async flush(end = {}) {
      const timeoutMs = readTimeout(end, 'flush')
      const work = timeoutMs === undefined ? taker.flushUnlessRefused() : taker.flush()
      const isSent = await within(timeoutMs, work)
      return taker.wasNothingDropped() && isSent
    },
    close(end = {}) {
      const timeoutMs = readTimeout(end, 'close') ?? CLOSE_MS
      closing ??= within(timeoutMs, taker.flush()).then(() => {
        forget()
        return taker.close()
      })
      return closing
    },
    stats: () => taker.stats(),
  }
}

function readTimeout(options: EndOptions, place: string): number | undefined {
  refuseUnknown(options, ['timeoutMs'], `the options of ${place}`, invalidOption)
  const { timeoutMs } = options
  if (timeoutMs === undefined || (typeof timeoutMs === 'number' && timeoutMs >= 0)) return timeoutMs
  throw invalidOption(`timeoutMs of ${place} is no number of milliseconds: pass one of at least 0.`)
}

/** What the work says, if it is done in time; else false. The process is kept alive meanwhile. */
async function within(timeoutMs: number | undefined, work: Promise<boolean>): Promise<boolean> {
  const release = holdProcess()
  try {
    if (timeoutMs === undefined) return await work
    return await new Promise<boolean>((resolve, reject) => {
      const clear = quietTimer(() => resolve(false), timeoutMs)
      work.finally(clear).then(resolve, reject)
    })
  } finally {
    release()
  }
}
