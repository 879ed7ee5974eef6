import type { EventKey } from './queries/find-events.ts'

/** Keys of events as five parallel arrays, for `unnest` in the order of the primary key. */
export function keyColumns(
  keys: readonly EventKey[],
): [hours: number[], buckets: number[], accounts: string[], ids: string[], sources: string[]] {
  return [
    keys.map(({ hour }) => hour),
    keys.map(({ bucket }) => bucket),
    keys.map(({ account }) => account),
    keys.map(({ id }) => id),
    keys.map(({ source }) => source),
  ]
}
