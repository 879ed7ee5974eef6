import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Json } from '../../text/canonical-json.ts'
import { formatHourStart, type Hour } from '../../time/hour.ts'
import { comparePriceBooks } from '../price-book/compare/compare-price-books.ts'
import { priceWords } from '../price-book/compare/words.ts'
import { readPriceBook } from '../price-book/parse/read-price-book.ts'
import { type PriceBook, termInForce } from '../price-book/price-book.ts'
import { comparePriceLists } from '../price-list/compare-price-lists.ts'
import { listHasTiers, type PriceList } from '../price-list/price-list.ts'
import { readPriceList } from '../price-list/read-price-list.ts'
import { effectiveTerm, type ListAssignment } from './account-prices.ts'

// One rate, two lists, one account, and months of eight hours.

const MONTH_HOURS = 8
const LAST = 24
const monthStart = (hour: Hour) => (hour - (hour % MONTH_HOURS)) as Hour

interface Term {
  readonly from: Hour
  readonly cost: { readonly [key: string]: Json }
}

interface State {
  readonly terms: readonly Term[]
  readonly until: Hour | null
  readonly lists: readonly ListData[]
  readonly assigned: readonly ListAssignment[]
}

interface ListData {
  readonly terms: readonly Term[]
  readonly discounts: readonly Term[]
}

const PRICE = { price: '5' }
const COSTS = {
  price: PRICE,
  other: { price: '4' },
  tiers: { tiers: [{ upTo: '10', price: '0' }, { price: '3' }] },
  moreTiers: { tiers: [{ upTo: '20', price: '1' }, { price: '2' }] },
  free: { free: 'for now' },
  unknown: { price: 'unknown' },
} as const
/** The more of tiers, the more there is to move. */
const PUBLIC_COSTS = [...Object.values(COSTS), COSTS.price, COSTS.tiers, COSTS.moreTiers]
const LIST_COSTS = [
  COSTS.moreTiers,
  COSTS.free,
  { price: '2', evenIfFree: true },
  { ...COSTS.moreTiers, evenIfFree: true },
  { ...COSTS.tiers, evenIfFree: true },
] as const
const DISCOUNTS = ['0', '0.1', '0.5', '1'].map((discount) => ({ discount }))

const anyHour = fc.integer({ min: 1, max: LAST - 1 }).map((hour) => hour as Hour)

function anyTerms(costs: readonly Term['cost'][], most: number): fc.Arbitrary<readonly Term[]> {
  const term = fc.record({ from: anyHour, cost: fc.constantFrom(...costs) })
  return fc.uniqueArray(term, { selector: ({ from }) => from, maxLength: most }).map(inOrder)
}

function inOrder(terms: readonly Term[]): readonly Term[] {
  return terms.toSorted((a, b) => a.from - b.from)
}

const anyList = fc.record({ terms: anyTerms(LIST_COSTS, 2), discounts: anyTerms(DISCOUNTS, 2) })
const anyAssigned = fc
  .uniqueArray(fc.record({ from: anyHour, list: fc.constantFrom('l0', 'l1', null) }), {
    selector: ({ from }) => from,
    maxLength: 3,
  })
  .map((entries) => entries.toSorted((a, b) => a.from - b.from))

const anyState: fc.Arbitrary<State> = fc.record({
  terms: anyTerms(PUBLIC_COSTS, 4),
  until: fc.option(anyHour, { freq: 8 }),
  lists: fc.tuple(anyList, anyList),
  assigned: anyAssigned,
})

/** What is there before an hour stays, but for prices that are filled in; what follows may be anything. */
function nextState(old: State, open: number): fc.Arbitrary<State> {
  const isBegun = ({ from }: { readonly from: number }) => from < open
  const grown = <T extends { readonly from: number }>(was: readonly T[], more: readonly T[]) => [
    ...was.filter(isBegun),
    ...more.filter((one) => !isBegun(one)),
  ]
  const fill = fc.tuple(anyTerms(PUBLIC_COSTS, 4), anyTerms(PUBLIC_COSTS, 3))
  const filled = fill.map(([early, more]): State => {
    const isKnown = (hour: number) => {
      const was = old.terms.findLast(({ from }) => from <= hour)
      return was !== undefined && was.cost !== COSTS.unknown
    }
    const kept = old.terms.filter(({ from }) => from < open && isKnown(from))
    const added = early.filter(({ from }) => from < open && !isKnown(from))
    return { ...old, terms: inOrder([...kept, ...added, ...grown([], more)]) }
  })
  const listed = anyList.map(({ terms, discounts }): State => {
    const [first, second] = old.lists as [ListData, ListData]
    const next = { terms: grown(first.terms, terms), discounts: grown(first.discounts, discounts) }
    return { ...old, lists: [next, second] }
  })
  const put = anyAssigned.map((more): State => ({ ...old, assigned: grown(old.assigned, more) }))
  const ended = fc.option(anyHour).map((until): State => ({ ...old, until }))
  return fc.oneof(filled, listed, put, ended)
}

interface Read {
  readonly book: PriceBook
  readonly lists: ReadonlyMap<string, PriceList>
}

const written = (terms: readonly Term[]) =>
  terms.map(({ from, cost }) => ({ from: formatHourStart(from), ...cost }))

/** Undefined: the book is refused, or one of the lists. */
function read({ terms, until, lists }: State): Read | undefined {
  const end = until === null ? {} : { until: formatHourStart(until) }
  const rate = { operations: ['Render'], unit: 'page', per: 1, prices: written(terms), ...end }
  const items = { Pages: { component: 'processing', rates: { default: rate } } }
  const found = readPriceBook({ priceBook: 'a', currency: 'USD', items })
  if (!found.ok) return undefined
  const made = new Map<string, PriceList>()
  for (const [index, list] of lists.entries()) {
    const priceList = `l${index}`
    const prices = { Pages: { rates: { default: { prices: written(list.terms) } } } }
    const parts = {
      ...(list.terms.length === 0 ? {} : { items: prices }),
      ...(list.discounts.length === 0 ? {} : { discount: written(list.discounts) }),
      minimum: { amount: '1', per: 'month' },
    }
    const one = readPriceList({ priceList, ...parts }, found.book)
    if (!one.ok) return undefined
    made.set(priceList, one.list)
  }
  return { book: found.book, lists: made }
}

/** Does a publication of the one after the other pass? */
function passes(old: Read, next: Read, open: Hour): boolean {
  const hasListTiers = (rate: PriceBook['rates'][number]) =>
    [...old.lists.values()].some((list) => listHasTiers(list, rate))
  const inBook = comparePriceBooks(old.book, next.book, open, new Set(), hasListTiers)
  const inLists = [...next.lists].flatMap(([name, list]) =>
    comparePriceLists(old.lists.get(name)!, list, open),
  )
  return inBook.length + inLists.length === 0
}

/** What the account pays in each hour that has begun and has a price. */
function paid({ book, lists }: Read, assigned: readonly ListAssignment[], hours: readonly Hour[]) {
  const [rate] = book.rates
  return hours.map((hour) => {
    const { term, listTerm, ...rest } = effectiveTerm({ book, lists, assigned, monthStart }, rate!, hour)
    return { hour, term: priceWords(term), listTerm: priceWords(listTerm), ...rest }
  })
}

function pricedHours({ book }: Read, open: Hour): readonly Hour[] {
  const hours = Array.from({ length: open }, (_, hour) => hour as Hour)
  return hours.filter((hour) => {
    const term = termInForce(book.rates[0]!, hour)
    return term !== undefined && term.kind !== 'unknown'
  })
}

const isRead = (state: State) => read(state) !== undefined

const anyChange = fc
  .tuple(anyState.filter(isRead), fc.integer({ min: 4, max: LAST }))
  .chain(([old, open]) =>
    fc.tuple(fc.constant(old), nextState(old, open).filter(isRead), fc.constant(open as Hour)),
  )

// Guarantee: no publication of a book or a list, and no assignment, moves a stretch or a price of an hour that has begun.
test('what an account pays in an hour that has begun stays, whatever is published or assigned', () => {
  const seen = { same: 0, tiered: 0, refused: 0 }
  fc.assert(
    fc.property(anyChange, ([oldData, nextData, open]) => {
      const [old, next] = [read(oldData)!, read(nextData)!]
      if (!passes(old, next, open)) return void seen.refused++
      const hours = pricedHours(old, open)
      const was = paid(old, oldData.assigned, hours)
      expect(paid(next, nextData.assigned, hours)).toEqual(was)
      if (JSON.stringify(oldData) === JSON.stringify(nextData)) return
      seen.same++
      if (was.some(({ stretchFrom }) => stretchFrom !== null)) seen.tiered++
    }),
    { numRuns: 3_000 },
  )
  expect(Math.min(seen.tiered, seen.refused)).toBeGreaterThan(100)
})
