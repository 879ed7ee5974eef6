import { integerArray, textArray } from './binary-arrays.ts'
import type { EventKey } from './usage-events.ts'

/**
 * Keys of events as five parallel arrays, for `unnest` in the order of the primary key: `int[]`, `smallint[]`, and three
 * of `text[]`.
 */
export function keyColumns(
  keys: readonly EventKey[],
): [hours: Buffer, buckets: Buffer, accounts: Buffer, ids: Buffer, sources: Buffer] {
  const column = <Value>(of: (key: EventKey) => Value) => keys.map(of)
  return [
    integerArray(
      'int',
      column(({ hour }) => hour),
    ),
    integerArray(
      'smallint',
      column(({ bucket }) => bucket),
    ),
    textArray(column(({ account }) => account)),
    textArray(column(({ id }) => id)),
    textArray(column(({ source }) => source)),
  ]
}
