import { type MeterError } from './meter-error.ts'

/** Longer words are not compared: the work grows with the product of the lengths. */
const COMPARED_MAX = 40

/**
 * Refuses what an object has beside the members that are known: a misspelt one would be a setting that silently does
 * not hold.
 * @param place what the object is called in the message
 */
export function refuseUnknown(
  value: object,
  known: readonly string[],
  place: string,
  errorOf: (message: string) => MeterError,
): void {
  for (const name of Object.keys(value)) {
    if (known.includes(name)) continue
    const guess = nearest(name, known)
    const fix = guess === undefined ? `remove it; known are ${known.join(', ')}` : `write ${guess}`
    throw errorOf(`${JSON.stringify(name.slice(0, COMPARED_MAX))} is not known in ${place}: ${fix}.`)
  }
}

/** The word that was probably meant: at most a third of its letters may be wrong, and at least one. */
function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > COMPARED_MAX) return undefined
  const near = known
    .map((name) => ({ name, away: distance(word.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, away }) => away <= Math.max(1, Math.floor(name.length / 3)))
  return near.sort((a, b) => a.away - b.away)[0]?.name
}

/** How many letters have to be changed, added or left out. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (const [above, letter] of Array.from(a).entries()) {
    const next = [above + 1]
    for (let at = 1; at <= b.length; at++) {
      const cost = letter === b[at - 1] ? 0 : 1
      next.push(Math.min(row[at]! + 1, next[at - 1]! + 1, row[at - 1]! + cost))
    }
    row = next
  }
  return row[b.length]!
}
