/** `1 event`, `1,200 events`: every count in a message is written by this, so that each is right for one. */
export function countOf(count: number, unit: string): string {
  return `${count.toLocaleString('en-US')} ${agree(count, unit, `${unit}s`)}`
}

/** The word that goes with a count: `agree(1, 'was', 'were')`. */
export function agree(count: number, one: string, many: string): string {
  return count === 1 ? one : many
}
