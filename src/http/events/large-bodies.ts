/** From so many bytes on a body takes milliseconds to be taken apart. */
export const LARGE_BODY_BYTES = 65_536

let last: Promise<void> = Promise.resolve()

/**
 * Wait until a large body may be taken apart. They follow each other, one in each round of the event loop, so that
 * small requests have their turn between them.
 */
export function turnForLarge(): Promise<void> {
  last = last.then(() => new Promise((resolve) => setImmediate(resolve)))
  return last
}
