/**
 * State something that is true unless this program has a bug.
 *
 * Not for input: input that breaks a rule becomes a rejection, a value that the caller must handle.
 * After a broken invariant every later figure is suspect, so the flow stops and nothing is saved.
 */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantViolation(message)
}

/** A bug of ours. Never caught to continue: only to report. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation'
}
