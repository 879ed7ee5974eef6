import type { Component } from '../../../ingest/usage.ts'
import { compareBytes } from '../../../text/well-formed.ts'
import type { Hour } from '../../../time/hour.ts'
import { differentTypes, pairRates, type RateInBoth, rateStretches } from './differences.ts'
import {
  eventTypeWords,
  placeOfRate,
  priceWords,
  samePrice,
  sameStatuses,
  sameUnit,
  statusWords,
  unitWords,
} from './words.ts'
import {
  COMPONENTS,
  isMarked,
  type PriceBook,
  type PriceTerm,
  type Rate,
  termInForce,
} from '../price-book.ts'

/** What can differ between two versions. Codes of the API: add, never rename. */
export const CHANGE_KINDS = [
  'book_renamed',
  'currency_changed',
  'heading_changed',
  'event_type_added',
  'event_type_changed',
  'event_type_removed',
  'operations_known',
  'operations_unknown',
  'operations_free',
  'operations_not_free',
  'rate_added',
  'rate_removed',
  'operations_listed',
  'operations_unlisted',
  'unit_changed',
  'statuses_changed',
  'price_changed',
  'price_filled',
] as const
export type ChangeKind = (typeof CHANGE_KINDS)[number]

/** One difference between two versions of a price book, whenever it takes effect. */
export interface PriceBookChange {
  readonly kind: ChangeKind
  readonly component: Component | null
  readonly item: string | null
  readonly rate: string | null
  /** Operations, or an event type; in order. */
  readonly names: readonly string[]
  /** Hours in [from, to) differ; without `from` all that the rate or operation has, without `to` for ever. */
  readonly from: Hour | null
  readonly to: Hour | null
  readonly was: string | null
  readonly becomes: string | null
  /** From tiers to other tiers: it counts from the account's first month that begins at `from` or later. */
  readonly fromNextMonth: boolean
}

const NOTHING = {
  component: null,
  item: null,
  rate: null,
  names: [],
  from: null,
  to: null,
  was: null,
  becomes: null,
  fromNextMonth: false,
} as const satisfies Omit<PriceBookChange, 'kind'>

/**
 * All that differs between two versions, for people: what is added, retired or changed, and from when on. Nothing if
 * both say the same, however they are written.
 */
export function changesBetween(old: PriceBook, next: PriceBook): readonly PriceBookChange[] {
  return [
    ...bookChanges(old, next),
    ...typeChanges(old, next),
    ...knownChanges(old, next),
    ...headingChanges(old, next),
    ...rateChanges(old, next),
  ]
}

function bookChanges(old: PriceBook, next: PriceBook): readonly PriceBookChange[] {
  const pairs = [
    ['book_renamed', old.name, next.name],
    ['currency_changed', old.currency, next.currency],
  ] as const
  return pairs.flatMap(([kind, was, becomes]) =>
    was === becomes ? [] : [{ ...NOTHING, kind, was, becomes }],
  )
}

function headingChanges(old: PriceBook, next: PriceBook): readonly PriceBookChange[] {
  return COMPONENTS.flatMap((component): readonly PriceBookChange[] => {
    const [was, becomes] = [old.headings.get(component) ?? null, next.headings.get(component) ?? null]
    return was === becomes ? [] : [{ ...NOTHING, kind: 'heading_changed', component, was, becomes }]
  })
}

function typeChanges(old: PriceBook, next: PriceBook): readonly PriceBookChange[] {
  return differentTypes(old, next).map(({ type, old: before, next: after }) => {
    const [was, becomes] = [before ? eventTypeWords(before) : null, after ? eventTypeWords(after) : null]
    const kind = !before ? 'event_type_added' : after ? 'event_type_changed' : 'event_type_removed'
    return { ...NOTHING, kind, names: [type], was, becomes }
  })
}

function knownChanges(old: PriceBook, next: PriceBook): readonly PriceBookChange[] {
  const [free, notFree] = [
    onlyIn(next.freeOperations, old.freeOperations).filter((name) => old.operations.has(name)),
    onlyIn(old.freeOperations, next.freeOperations).filter((name) => next.operations.has(name)),
  ]
  return [
    ...namesChange('operations_known', onlyIn(next.operations, old.operations)),
    ...namesChange('operations_unknown', onlyIn(old.operations, next.operations)),
    ...namesChange('operations_free', free),
    ...namesChange('operations_not_free', notFree),
  ]
}

function onlyIn(names: Iterable<string>, others: ReadonlySet<string>): readonly string[] {
  return [...names].filter((name) => !others.has(name)).toSorted(compareBytes)
}

function namesChange(
  kind: ChangeKind,
  names: readonly string[],
  place: Pick<PriceBookChange, 'component' | 'item' | 'rate'> = NOTHING,
): readonly PriceBookChange[] {
  const { component, item, rate } = place
  return names.length === 0 ? [] : [{ ...NOTHING, component, item, rate, kind, names }]
}

/** Rate by rate, in the order of a bill. */
function rateChanges(old: PriceBook, next: PriceBook): readonly PriceBookChange[] {
  return pairRates(old.rates, next.rates)
    .toSorted((a, b) => compareRates((a.next ?? a.old)!, (b.next ?? b.old)!))
    .flatMap((rate) => [...ruleChanges(rate), ...priceChanges(rate)])
}

function compareRates(a: Rate, b: Rate): number {
  const byComponent = COMPONENTS.indexOf(a.component) - COMPONENTS.indexOf(b.component)
  return byComponent || compareBytes(placeOfRate(a), placeOfRate(b))
}

/** Everything about a rate that has no date. */
function ruleChanges({ old: rate, next: other }: RateInBoth): readonly PriceBookChange[] {
  const place = placeOf((other ?? rate)!)
  if (!rate || !other) {
    const [kind, one] = other ? (['rate_added', other] as const) : (['rate_removed', rate!] as const)
    const words = { was: rate ? unitWords(rate) : null, becomes: other ? unitWords(other) : null }
    return [{ ...NOTHING, ...place, kind, names: [...one.operations].toSorted(compareBytes), ...words }]
  }
  const [listed, before] = [new Set(other.operations), new Set(rate.operations)]
  const changes = [
    ...namesChange('operations_listed', onlyIn(listed, before), place),
    ...namesChange('operations_unlisted', onlyIn(before, listed), place),
  ]
  if (!sameUnit(rate, other)) {
    const words = { was: unitWords(rate), becomes: unitWords(other) }
    changes.push({ ...NOTHING, ...place, kind: 'unit_changed', ...words })
  }
  if (!sameStatuses(rate, other)) {
    const words = { was: statusWords(rate), becomes: statusWords(other) }
    changes.push({ ...NOTHING, ...place, kind: 'statuses_changed', ...words })
  }
  return changes
}

function placeOf({ component, item, rate }: Rate): Pick<PriceBookChange, 'component' | 'item' | 'rate'> {
  return { component, item, rate }
}

/** What costs something else, for as long as both prices hold. */
function priceChanges(pair: RateInBoth): readonly PriceBookChange[] {
  const place = placeOf((pair.next ?? pair.old)!)
  const changes: PriceBookChange[] = []
  for (const { from, to, was: term, becomes: otherTerm } of rateStretches(pair)) {
    if (samePrice(term, otherTerm) && isMarked(term) === isMarked(otherTerm)) continue
    const isFilled = term?.kind === 'unknown' && otherTerm !== undefined
    const [was, becomes] = [markedWords(term), markedWords(otherTerm)]
    const last = changes.at(-1)
    if (last?.to === from && last.was === was && last.becomes === becomes) {
      changes[changes.length - 1] = { ...last, to: to ?? null }
      continue
    }
    const kind = isFilled ? 'price_filled' : 'price_changed'
    const fromNextMonth = otherTerm?.kind === 'tiers' && waits(pair.next, otherTerm, from)
    changes.push({ ...NOTHING, ...place, kind, from, to: to ?? null, was, becomes, fromNextMonth })
  }
  return changes
}

/** Are there other tiers just before? They hold until the month of each account ends. */
function waits(rate: Rate | undefined, tiers: PriceTerm, from: Hour): boolean {
  const before = rate && termInForce(rate, (from - 1) as Hour)
  return before?.kind === 'tiers' && !samePrice(before, tiers)
}

function markedWords(term: PriceTerm | undefined): string | null {
  if (term === undefined) return null
  return isMarked(term) ? `${priceWords(term)}, illustrative` : priceWords(term)
}
