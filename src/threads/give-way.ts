import { readlinkSync } from 'node:fs'
import { setPriority } from 'node:os'
import { basename } from 'node:path'

/** On Linux's scale, on which programs have 0 and the least is 19. */
export const NICENESS = 10

/**
 * From now on the main thread, which answers requests, has the core before this one when both could use it. Only Linux can
 * say so of a single thread: elsewhere, or where it is forbidden, they stay equal.
 */
export function giveWay(): void {
  try {
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), NICENESS)
  } catch {
    // Slower answers beside a flood, and nothing wrong.
  }
}
