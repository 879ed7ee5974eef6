import { expect, test } from 'vitest'
import { bookOf } from '../../../../test/unit/oracle-book.ts'
import { table } from '../../../../test/table.ts'
import { formatHour, parseHour } from '../../time/hour.ts'
import { readPriceList } from '../price-list/read-price-list.ts'
import { type AccountPrices, publicPrices } from './account-prices.ts'
import { waitingTiers } from './waiting-tiers.ts'

// Pages have tiers publicly, and calls cost the same for every unit.

const FROM = '2026-01-01T00:00:00Z'
const TIERS = [{ upTo: '10', price: '0' }, { price: '3' }]
const rate = (operation: string, unit: string, price: object) => ({
  operations: [operation],
  unit,
  per: 1,
  prices: [{ from: FROM, ...price }],
})
const book = bookOf({
  priceBook: 'a',
  currency: 'USD',
  items: {
    Calls: { component: 'request', rates: { default: rate('Search', 'call', { price: '5' }) } },
    Pages: { component: 'processing', rates: { default: rate('Render', 'page', { tiers: TIERS }) } },
  },
})

const tieredCalls = { prices: [{ from: FROM, tiers: [{ upTo: '5', price: '1' }, { price: '2' }] }] }
const LISTS = {
  tenth: { discount: '0.1' },
  none: { discount: '0' },
  flat: { items: { Pages: { rates: { default: { prices: [{ from: FROM, price: '2' }] } } } } },
  calls: { items: { Calls: { rates: { default: tieredCalls } } } },
}
const lists = new Map(
  Object.entries(LISTS).map(([priceList, rules]) => {
    const read = readPriceList({ priceList, ...rules }, book)
    if (!read.ok) throw new Error(read.problems[0]!.message)
    return [priceList, read.list]
  }),
)

/** `tenth from 2027-02-10T00Z; null from 2027-03-01T00Z` */
function pricesOf(assigned: string): AccountPrices {
  const entries = assigned.split('; ').map((one) => {
    const [list, hour] = one.split(' from ') as [string, string]
    return { list: list === 'null' ? null : list, from: parseHour(hour)! }
  })
  return { ...publicPrices(book), lists, assigned: entries }
}

const ROWS = table<'what' | 'assigned' | 'open' | 'waiting'>(`
  what                                       | assigned                                            | open          | waiting
  a discount off tiers, within a month       | tenth from 2027-02-10T05Z                           | 2027-02-10T05Z | Pages of tenth from 2027-02-10T05Z: 2027-03-01T00Z
  … until it counts                          | tenth from 2027-02-10T05Z                           | 2027-03-01T00Z | Pages of tenth from 2027-02-10T05Z: 2027-03-01T00Z
  … and not when it does                     | tenth from 2027-02-10T05Z                           | 2027-03-01T01Z | nothing
  with the first hour of a month             | tenth from 2027-03-01T00Z                           | 2027-02-10T05Z | nothing
  a flat price instead of tiers              | flat from 2027-02-10T05Z                            | 2027-02-10T05Z | nothing
  tiers instead of a flat price              | calls from 2027-02-10T05Z                           | 2027-02-10T05Z | Pages of calls from 2027-02-10T05Z: 2027-03-01T00Z
  a discount of 0 is another list            | none from 2027-02-10T05Z                            | 2027-02-10T05Z | Pages of none from 2027-02-10T05Z: 2027-03-01T00Z
  off the list again before it counts        | tenth from 2027-02-10T05Z; null from 2027-02-20T00Z | 2027-02-10T05Z | nothing
  off the list again in a later month        | tenth from 2027-01-31T23Z; null from 2027-02-20T00Z | 2027-02-10T05Z | Pages of null from 2027-02-20T00Z: 2027-03-01T00Z
  two lists within a month: the last counts  | tenth from 2027-02-10T05Z; none from 2027-02-20T00Z | 2027-02-10T05Z | Pages of none from 2027-02-20T00Z: 2027-03-01T00Z
`)
for (const { what, assigned, open, waiting } of ROWS) {
  test(`${what}: ${assigned}, at ${open}`, () => {
    const found = waitingTiers(pricesOf(assigned), parseHour(open)!).map(
      ({ rate: { item }, list, from, countsFrom }) =>
        `${item} of ${list} from ${formatHour(from)}: ${formatHour(countsFrom)}`,
    )
    expect(found.join(', ') || 'nothing').toBe(waiting)
  })
}

test('the month that they wait for is the account’s own', () => {
  const [first, second] = [parseHour('2027-02-10T00Z')!, parseHour('2027-03-10T00Z')!]
  const prices = pricesOf('tenth from 2027-02-20T00Z')
  const own: AccountPrices = { ...prices, monthStart: (hour) => (hour < second ? first : second) }
  const [waiting] = waitingTiers(own, parseHour('2027-02-20T00Z')!)
  expect(waiting?.countsFrom).toBe(second)
})
