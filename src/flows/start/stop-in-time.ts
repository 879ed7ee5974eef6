import type { Log } from '../../store/connect.ts'

/** A stop takes no longer than this, whatever is in progress: then the process ends. */
export const STOP_MS = 30_000
/** Requests in flight get this long to end, and so does what settlement has begun. */
export const STOP_PATIENCE_MS = 12_000
/** So long for events that wait for their commit, once no request is left. */
export const STORE_PATIENCE_MS = 5_000
/** … and for everything else that is closed. */
export const CLOSE_PATIENCE_MS = 2_000

export interface Stop {
  /** For the log: `requests in flight`. */
  readonly what: string
  readonly patienceMs: number
  readonly stop: () => Promise<unknown>
}

/**
 * Stop everything that has been started, in the opposite order. What is not done in its time is ended, and what it had begun
 * is rolled back: it is repeated, by another process or after the next start.
 * @param cut ends what the database does for this process
 */
export async function stopInTime(
  stops: readonly Stop[],
  cut: () => Promise<unknown>,
  log: Log,
): Promise<void> {
  for (const { what, patienceMs, stop } of stops.toReversed()) {
    const stopped = stop()
    if (await within(stopped, patienceMs)) continue
    log.warn(
      { seconds: patienceMs / 1000 },
      `Stopping: ${what} took too long, and what was begun is rolled back`,
    )
    await within(cut(), CLOSE_PATIENCE_MS)
    await within(stopped, CLOSE_PATIENCE_MS)
  }
}

/** Is the work done in time? What it fails with is thrown. */
export async function within(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, ms, false)
  })
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
