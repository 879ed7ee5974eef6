import { refuseUnknown } from './known-members.ts'
import type { Meter } from './meter.ts'
import { invalidFact, invalidOption } from './meter-error.ts'
import { thinned } from './thinned.ts'
import { type ProcessingFact, processingContent } from './facts.ts'

/** A task that goes on after its submission was answered. */
export interface Job extends Pick<
  ProcessingFact,
  'account' | 'operation' | 'project' | 'region' | 'resource'
> {
  /** The task's name. */
  readonly task?: string | undefined
  /**
   * The identity of its completion, for a task that may complete more than once, as when a queue gives it out again.
   * A failed attempt never takes it.
   */
  readonly id?: string | undefined
  /** Is told what could not be metered. Left out: the console. */
  readonly onUnmetered?: (error: unknown) => void
}

/**
 * Runs a task, and meters it when it has completed, at that instant: succeeded with its quantities, or failed, which
 * has no fee. Nothing is metered when it begins, and nothing if the process dies meanwhile.
 * @param quantities what the result measures, by unit: `{ millisecond: '83250' }`
 * @returns the result, whether it could be metered or not; rejects with what `work` has thrown, and before it begins
 * with MeterError sdk/invalid_fact, when the job could never be metered
 */
export async function meterJob<Result>(
  meter: Pick<Meter, 'processing'>,
  job: Job,
  work: () => Result | PromiseLike<Result>,
  quantities: (result: Result) => NonNullable<ProcessingFact['quantities']>,
): Promise<Result> {
  refuseCall(meter, job, work, quantities)
  const { onUnmetered = warn, id, ...about } = job
  const fact = { ...about, mode: 'async' as const }
  // Only looked at: a mistake shows at once, and not after hours of work that nobody can charge.
  processingContent({ ...fact, id, outcome: 'failed' }, Date.now())
  const send = (read: () => ProcessingFact) => {
    try {
      meter.processing(read()).catch((error) => tell(onUnmetered, error))
    } catch (error) {
      tell(onUnmetered, error)
    }
  }
  let result: Result
  try {
    result = await work()
  } catch (error) {
    const at = Date.now()
    send(() => ({ ...fact, outcome: 'failed', at }))
    throw error
  }
  const at = Date.now()
  send(() => ({ ...fact, id, outcome: 'succeeded', at, quantities: quantities(result) }))
  return result
}

const KNOWN: Readonly<Record<keyof Job, true>> = {
  account: true,
  operation: true,
  project: true,
  region: true,
  resource: true,
  task: true,
  id: true,
  onUnmetered: true,
}

function refuseCall(meter: unknown, job: unknown, work: unknown, quantities: unknown): void {
  if (typeof (meter as Partial<Meter> | undefined)?.processing !== 'function') {
    throw invalidOption('meterJob has no meter: pass what createMeter returns first.')
  }
  if (typeof job !== 'object' || job === null) {
    throw invalidFact('The job is missing: pass { account, operation } and the like.')
  }
  refuseUnknown(job, Object.keys(KNOWN), 'a job', invalidFact)
  for (const [name, value] of Object.entries({ work, quantities })) {
    if (typeof value !== 'function') throw invalidOption(`${name} is no function: pass one to meterJob.`)
  }
  const { onUnmetered } = job as Job
  if (onUnmetered !== undefined && typeof onUnmetered !== 'function') {
    throw invalidOption('onUnmetered of a job is no function: pass one that takes an error.')
  }
}

function tell(onUnmetered: (error: unknown) => void, error: unknown): void {
  try {
    onUnmetered(error)
  } catch (thrown) {
    console.warn('Farthing usage: onUnmetered has thrown', thrown)
  }
}

const shown = thinned()

/** The 1st, 10th, 100th … of each message. */
function warn(error: unknown): void {
  const count = shown(String(error))
  if (count !== undefined) console.warn(`Farthing usage: a job was not metered (${count} until now)`, error)
}
