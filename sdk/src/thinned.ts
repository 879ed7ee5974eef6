/** A kind that was silent for so long is shown again, however many there were before. */
export const SHOWN_AGAIN_MS = 600_000
/** Kinds that are told apart; further ones are counted as one. */
export const SHOWN_KINDS_MAX = 1000

/**
 * The 1st, 10th, 100th … of each kind, and the first after ten minutes without a line of it: enough to be seen, too few
 * to fill a disk.
 * @returns how many of the kind there were until now, when this one is to be shown; else undefined
 */
export function thinned(): (kind: string, more?: number) => number | undefined {
  const kinds = new Map<string, { count: number; shownAt: number }>()
  return (kind, more = 1) => {
    const name = kinds.has(kind) || kinds.size < SHOWN_KINDS_MAX ? kind : ''
    const known = kinds.get(name) ?? { count: 0, shownAt: -Infinity }
    kinds.set(name, known)
    const before = known.count
    known.count += more
    const isRound = String(known.count).length > String(before).length || before === 0
    if (!isRound && Date.now() - known.shownAt < SHOWN_AGAIN_MS) return undefined
    known.shownAt = Date.now()
    return known.count
  }
}
