import type { Component } from '../../../ingest/usage.ts'
import { compareBytes } from '../../../text/well-formed.ts'
import type { Hour } from '../../../time/hour.ts'
import { forgotten, type RateChange, toPastChange, withFee } from './compare-findings.ts'
import type { PastChange } from './compare-past-change.ts'
import { sweep } from './compare-sweep.ts'
import { FIRST_HOUR } from './compare-timeline.ts'
import type { PriceBook, Rate } from '../price-book.ts'
import { PROBLEMS_MAX } from '../parse/problem.ts'

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

/**
 * What a new version would charge otherwise for requests and processing of hours that have begun: what
 * `comparePriceBooks` says of operations. At most 100.
 */
export function changedCharges(old: PriceBook, next: PriceBook, firstOpenHour: Hour): readonly PastChange[] {
  const findings = new Findings()
  for (const component of ['request', 'processing'] as const) {
    const groups = groupsOf(component, old, next)
    const [free, others] = [groups.filter(isNoLongerFree), groups.filter((group) => !isNoLongerFree(group))]
    for (const group of free) compareFree(group, findings)
    sweep(others, firstOpenHour, findings)
  }
  return findings.all.map((found) => toPastChange(found, next, firstOpenHour))
}

/** One finding for each thing to correct, however many operations show it; the earliest hour of all. */
export class Findings {
  readonly #found = new Map<string, { readonly change: RateChange; readonly names: Set<string> }>()

  add(change: RateChange): void {
    const known = this.#found.get(change.key)
    for (const name of known ? change.names : []) known!.names.add(name)
    if (known && known.change.hour <= change.hour) return
    this.#found.set(change.key, { change, names: known?.names ?? new Set(change.names) })
  }

  /** More are not reported. */
  get areEnough(): boolean {
    return this.#found.size >= PROBLEMS_MAX
  }

  get all(): readonly RateChange[] {
    return [...this.#found.values()].map(({ change, names }) => ({
      ...change,
      names: [...names].toSorted(compareBytes),
    }))
  }
}

function groupsOf(component: Component, old: PriceBook, next: PriceBook): readonly Group[] {
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

/** Known without a fee of the component in the old book, and not said to be so in the new one. */
function isNoLongerFree({ old, isKnown, isFree }: Group): boolean {
  return old.length === 0 && !(isKnown && isFree)
}

/** What has no fee keeps none at all hours, however late a rate begins: before it, usage would be held. */
function compareFree({ operations, next, isKnown }: Group, findings: Findings): void {
  if (!isKnown) findings.add(forgotten(operations, FIRST_HOUR))
  for (const rate of next) findings.add(withFee(rate, operations, FIRST_HOUR))
}
