import type { Identity } from '../core/ingest/event.ts'
import type { Hour } from '../core/time/hour.ts'
import { integerArray, textArray } from './binary-arrays.ts'

export interface AccountHourKey {
  readonly bucket: number
  readonly account: string
  readonly hour: Hour
}

/** Where an event stands in the key. */
export interface EventKey extends Identity {
  readonly hour: Hour
  readonly bucket: number
}

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

/** The first and the last hour of some keys, at least one: bounds by which PostgreSQL opens few partitions. */
export function boundsOf(keys: readonly { readonly hour: Hour }[]): readonly [first: Hour, last: Hour] {
  let [first, last] = [keys[0]!.hour, keys[0]!.hour]
  for (const { hour } of keys) {
    if (hour < first) first = hour
    if (hour > last) last = hour
  }
  return [first, last]
}
