import type { Component } from '../../../ingest/usage.ts'
import { compareBytes } from '../../../text/well-formed.ts'
import type { PriceBook, Rate } from '../price-book.ts'

/** Operations that both books treat alike: the same rates list them all. */
export interface Group {
  /** In the order of their UTF-8 bytes. */
  readonly operations: readonly string[]
  /** Rates that list them. */
  readonly old: readonly Rate[]
  readonly next: readonly Rate[]
  /** Does the new book know them at all? */
  readonly isKnown: boolean
  /** Are they without a fee where no rate of theirs is in force, and not held? In the old book, and in the new one. */
  readonly wasFree: boolean
  readonly isFree: boolean
}

/** The operations that the old book knows, by the rates of the component that list them in both. */
export function groupsOf(component: Component, old: PriceBook, next: PriceBook): readonly Group[] {
  const [oldRates, nextRates] = [listedRates(component, old), listedRates(component, next)]
  const groups = new Map<string, Group & { readonly operations: string[] }>()
  for (const operation of [...old.operations].toSorted(compareBytes)) {
    const [before, after] = [oldRates.get(operation) ?? [], nextRates.get(operation) ?? []]
    const isKnown = next.operations.has(operation)
    const wasFree = before.length === 0 || old.freeOperations.has(operation)
    const isFree = after.length === 0 || next.freeOperations.has(operation)
    const key = `${isKnown} ${wasFree} ${isFree} ${before.join()} ${after.join()}`
    const group = groups.get(key)
    if (group) group.operations.push(operation)
    else {
      const [oldOnes, nextOnes] = [before.map((at) => old.rates[at]!), after.map((at) => next.rates[at]!)]
      const rates = { old: oldOnes, next: nextOnes }
      groups.set(key, { operations: [operation], ...rates, isKnown, wasFree, isFree })
    }
  }
  return [...groups.values()]
}

/** Which rates of the component list an operation, by their positions in the book. */
function listedRates(component: Component, { rates }: PriceBook): ReadonlyMap<string, readonly number[]> {
  const positions = new Map<string, number[]>()
  for (const [at, rate] of rates.entries()) {
    if (rate.component !== component) continue
    for (const operation of rate.operations) {
      const known = positions.get(operation)
      if (known) known.push(at)
      else positions.set(operation, [at])
    }
  }
  return positions
}
