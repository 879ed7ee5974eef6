import { type Hour, hourOf } from './hour.ts'
import type { Instant } from './instant.ts'

/**
 * The hour for usage that is too late for its own: open for certain, since nothing seals before its end. Hours are sealed
 * within an hour of it, so a clock that is further ahead has jumped, or sealing has yet to follow it. Then it is the oldest
 * open hour, whichever process has noticed the jump: what is late never waits for an hour that only the clock has reached.
 */
export function lateCycle({ now, sealedUntil }: { readonly now: Instant; readonly sealedUntil: Hour }): Hour {
  const hour = hourOf(now)
  return hour === sealedUntil + 1 ? hour : sealedUntil
}
