import type { Meter } from './create-meter.ts'
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
  { onUnmetered = warn, id, ...job }: Job,
  work: () => Result | PromiseLike<Result>,
  quantities: (result: Result) => NonNullable<ProcessingFact['quantities']>,
): Promise<Result> {
  const fact = { ...job, mode: 'async' as const }
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

function tell(onUnmetered: (error: unknown) => void, error: unknown): void {
  try {
    onUnmetered(error)
  } catch (thrown) {
    console.warn('Farthing usage: onUnmetered has thrown', thrown)
  }
}

function warn(error: unknown): void {
  console.warn('Farthing usage: a job was not metered', error)
}
