import { getPriority, setPriority } from 'node:os'

/** On Linux's scale, whose least is 19: so much less than the main thread has. */
export const NICENESS = 10
const LEAST = 19

/**
 * From now on the main thread, which answers requests, has the core before this one when both could use it. On Linux a
 * priority is that of the thread which asks; elsewhere it would be the whole process's, and they stay equal.
 */
export function giveWay(): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(Math.min(getPriority() + NICENESS, LEAST))
  } catch {
    // It is forbidden here: slower answers beside a flood, and nothing wrong.
  }
}
