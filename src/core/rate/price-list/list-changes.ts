import { compare, plain } from '../../money/decimal.ts'
import { compareBytes } from '../../text/well-formed.ts'
import type { Hour } from '../../time/hour.ts'
import { placeOfRate, priceWords, samePrice } from '../price-book/compare/words.ts'
import { type Dated, type Difference, differencesOf } from './dated.ts'
import type { ListTerm, PriceList } from './price-list.ts'

/** What can differ between two versions of a price list. Codes of the API: add, never rename. */
export const LIST_CHANGE_KINDS = ['discount_changed', 'minimum_changed', 'price_changed'] as const
export type ListChangeKind = (typeof LIST_CHANGE_KINDS)[number]

/** One difference between two versions of a price list, whenever it takes effect. */
export interface PriceListChange {
  readonly kind: ListChangeKind
  readonly item: string | null
  readonly rate: string | null
  /** Hours in [from, to) differ; null: from ever, and for ever. */
  readonly from: Hour | null
  readonly to: Hour | null
  /** Null: the list has no such entry. */
  readonly was: string | null
  readonly becomes: string | null
  /** From tiers to other tiers: it counts from the account's first month that begins at `from` or later. */
  readonly fromNextMonth: boolean
}

/**
 * All that differs between two versions of a price list, for people, in order: discount, minimum, prices by item and rate.
 * Nothing if both say the same, however they are written.
 * @param old undefined: there is no such list yet
 */
export function listChangesBetween(old: PriceList | undefined, next: PriceList): readonly PriceListChange[] {
  const discounts = differences(old?.discounts ?? [], next.discounts, {
    isSame: (a, b) => compare(a.share, b.share) === 0,
    words: ({ share }) => plain(share),
  })
  const minimums = differences(old?.minimums ?? [], next.minimums, {
    isSame: (a, b) => compare(a.amount, b.amount) === 0,
    words: ({ amount, per }) => `${plain(amount)} per ${per}`,
  })
  const nothing = { item: null, rate: null, fromNextMonth: false }
  return [
    ...discounts.map((found) => ({ kind: 'discount_changed' as const, ...nothing, ...shown(found) })),
    ...minimums.map((found) => ({ kind: 'minimum_changed' as const, ...nothing, ...shown(found) })),
    ...priceChanges(old, next),
  ]
}

function priceChanges(old: PriceList | undefined, next: PriceList): readonly PriceListChange[] {
  const rates = new Map([...(old?.rates ?? []), ...next.rates])
  return [...rates]
    .toSorted(([, a], [, b]) => compareBytes(placeOfRate(a), placeOfRate(b)))
    .flatMap(([key, { item, rate }]) => {
      const [was, becomes] = [old?.rates.get(key)?.terms ?? [], next.rates.get(key)?.terms ?? []]
      return differences(was, becomes, { isSame: sameTerm, words: termWords }).map((found) => ({
        kind: 'price_changed' as const,
        item,
        rate,
        ...shown(found),
        fromNextMonth: found.before?.kind === 'tiers' && found.after?.kind === 'tiers',
      }))
    })
}

export function sameTerm(a: ListTerm, b: ListTerm): boolean {
  return samePrice(a, b) && a.evenIfFree === b.evenIfFree
}

function termWords(term: ListTerm): string {
  return `${priceWords(term)}${term.evenIfFree ? ', even if free publicly' : ''}`
}

interface Ways<Value> {
  readonly isSame: (a: Value, b: Value) => boolean
  readonly words: (value: Value) => string
}

interface WordedDifference<Value> extends Difference<Value> {
  readonly was: string | null
  readonly becomes: string | null
}

/** What differs, in words; neighbours that read alike are one difference. */
function differences<Value extends Dated>(
  old: readonly Value[],
  next: readonly Value[],
  { isSame, words }: Ways<Value>,
): readonly WordedDifference<Value>[] {
  const found: WordedDifference<Value>[] = []
  for (const one of differencesOf(old, next, isSame)) {
    const was = one.before ? words(one.before) : null
    const becomes = one.after ? words(one.after) : null
    const last = found.at(-1)
    if (last?.to === one.from && last.was === was && last.becomes === becomes) {
      found[found.length - 1] = { ...last, to: one.to }
    } else found.push({ ...one, was, becomes })
  }
  return found
}

/** What is written without a time holds from hour 0 on, which means from ever. */
function shown({ from, to, was, becomes }: WordedDifference<unknown>) {
  return { from: from === 0 ? null : from, to, was, becomes }
}
