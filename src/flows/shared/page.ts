/** Part of a list. `next` is the position of the last item, if there are more behind it. */
export interface Page<Item, Position> {
  readonly items: readonly Item[]
  readonly next: Position | null
}

/**
 * The first `limit` of some items, of which one more than `limit` was asked for.
 * @param positionOf where the page after begins: behind this item
 */
export function pageOf<Item, Position>(
  items: readonly Item[],
  limit: number,
  positionOf: (item: Item) => Position,
): Page<Item, Position> {
  if (items.length <= limit) return { items, next: null }
  const kept = items.slice(0, limit)
  return { items: kept, next: positionOf(kept.at(-1)!) }
}
