import type { Component } from '../ingest/usage.ts'
import { compareBytes } from '../text/well-formed.ts'
import type { Hour } from '../time/hour.ts'
import {
  forgotten,
  gained,
  lost,
  otherPrice,
  otherStatuses,
  otherUnit,
  type RateChange,
  toPastChange,
  withFee,
} from './compare-findings.ts'
import type { PastChange } from './compare-past-change.ts'
import { type Stretch, stretchesOf } from './compare-timeline.ts'
import { rateKey, samePrice, sameStatuses, sameUnit } from './compare-words.ts'
import type { PriceBook, Rate } from './price-book.ts'

/** Operations that both books treat alike: the same rates list them all. */
interface Group {
  readonly component: Component
  /** In the order of their UTF-8 bytes. */
  readonly operations: readonly string[]
  readonly old: readonly Rate[]
  readonly next: readonly Rate[]
  /** Does the new book know them at all? */
  readonly isKnown: boolean
}

/** The first hour that a price book can name. */
const FIRST_HOUR = 0 as Hour

/**
 * What a new version would charge otherwise for requests and processing of hours that have begun: what
 * `comparePriceBooks` says of operations.
 */
export function changedCharges(old: PriceBook, next: PriceBook, firstOpenHour: Hour): readonly PastChange[] {
  const findings = new Findings()
  for (const component of ['request', 'processing'] as const) {
    for (const group of groupsOf(component, old, next)) compareGroup(group, firstOpenHour, findings)
  }
  return findings.all.map((found) => toPastChange(found, next, firstOpenHour))
}

/** One finding for each thing to correct, however many operations show it; the earliest hour of all. */
class Findings {
  readonly #found = new Map<string, RateChange>()

  add(change: RateChange): void {
    const known = this.#found.get(change.key)
    if (known === undefined) return void this.#found.set(change.key, change)
    const names = [...new Set([...known.names, ...change.names])].toSorted(compareBytes)
    this.#found.set(change.key, {
      ...known,
      names,
      hour: change.hour < known.hour ? change.hour : known.hour,
    })
  }

  get all(): readonly RateChange[] {
    return [...this.#found.values()]
  }
}

function groupsOf(component: Component, old: PriceBook, next: PriceBook): readonly Group[] {
  const [oldRates, nextRates] = [listedRates(component, old), listedRates(component, next)]
  const groups = new Map<string, Group & { readonly operations: string[] }>()
  for (const operation of [...old.operations].toSorted(compareBytes)) {
    const [before, after] = [oldRates.get(operation) ?? [], nextRates.get(operation) ?? []]
    const isKnown = next.operations.has(operation)
    const key = `${isKnown} ${before.join()} ${after.join()}`
    const group = groups.get(key)
    if (group) group.operations.push(operation)
    else {
      const [oldOnes, nextOnes] = [before.map((at) => old.rates[at]!), after.map((at) => next.rates[at]!)]
      groups.set(key, { component, operations: [operation], old: oldOnes, next: nextOnes, isKnown })
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

function compareGroup(group: Group, firstOpenHour: Hour, findings: Findings): void {
  const { operations, old, next, isKnown } = group
  if (old.length === 0) {
    if (!isKnown) findings.add(forgotten(operations, FIRST_HOUR))
    for (const rate of next) findings.add(withFee(rate, operations, FIRST_HOUR))
    return
  }
  const nextOf = old.map((rate) => next.findIndex((one) => rateKey(one) === rateKey(rate)))
  const oldOf = next.map((_, at) => nextOf.indexOf(at))
  for (const stretch of stretchesOf([...old, ...next])) {
    if (stretch.from >= firstOpenHour) return
    if (!isAccepted(stretch, old.length)) continue
    if (!isKnown) return findings.add(forgotten(operations, stretch.from))
    compareStretch(group, stretch, { nextOf, oldOf }, findings)
  }
}

/** Does the old book accept usage of these hours? With any price unknown, or none in force, it is held. */
function isAccepted({ terms }: Stretch, olds: number): boolean {
  let isInForce = false
  for (let at = 0; at < olds; at++) {
    if (terms[at]?.kind === 'unknown') return false
    isInForce ||= terms[at] !== undefined
  }
  return isInForce
}

function compareStretch(
  { operations, old, next }: Group,
  { from, terms }: Stretch,
  { nextOf, oldOf }: { readonly nextOf: readonly number[]; readonly oldOf: readonly number[] },
  findings: Findings,
): void {
  for (const [at, rate] of old.entries()) {
    const term = terms[at]
    if (term === undefined) continue
    const other = next[nextOf[at]!]
    if (other === undefined) {
      findings.add(lost(rate, operations, from))
      continue
    }
    const otherTerm = terms[old.length + nextOf[at]!]
    const pair = { rate, other, names: operations, hour: from }
    if (!sameUnit(rate, other)) findings.add(otherUnit(pair))
    if (!sameStatuses(rate, other)) findings.add(otherStatuses(pair))
    if (!samePrice(term, otherTerm)) findings.add(otherPrice(pair, term, otherTerm))
  }
  for (const [at, rate] of next.entries()) {
    if (terms[old.length + at] === undefined) continue
    if (terms[oldOf[at]!] === undefined) findings.add(gained(rate, operations, from))
  }
}
