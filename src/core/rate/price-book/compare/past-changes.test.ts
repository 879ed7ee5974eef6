import { expect, test } from 'vitest'
import { bookOf } from '../../../../../test/unit/oracle-book.ts'
import type { Json } from '../../../text/canonical-json.ts'
import { formatHourStart, type Hour, parseHour } from '../../../time/hour.ts'
import { changesBetween } from './changes.ts'
import { comparePriceBooks } from './compare-price-books.ts'
import { formatPath } from '../parse/problem.ts'

const OPEN = parseHour('2026-11-24T14Z')!
const [MAY, JUNE] = ['2026-05-01T00:00:00Z', '2026-06-01T00:00:00Z']
const [START, NOW, SOON] = ['2026-01-01T00:00:00Z', '2026-11-24T13:00:00Z', '2026-11-24T14:00:00Z']

type Parts = { readonly [key: string]: Json }
const price = (from: string, text: string): Json => ({ from, price: text })
const rate = (parts: Parts): Json => ({ unit: 'call', per: 1000, prices: [price(START, '0.5')], ...parts })
const item = (component: string, parts: Parts): Json => ({ component, rates: { default: rate(parts) } })
const storage = (prices: Json): Json => item('storage', { unit: 'byte', per: 'GB-hour', prices })

const CALLS = { operations: ['Get', 'List'] }
const PAGES = { operations: ['Render'], unit: 'page', per: 1 }
const ITEMS: Parts = {
  Calls: item('request', CALLS),
  Pages: item('processing', PAGES),
  Scores: item('processing', {
    operations: ['Score'],
    prices: [price(START, 'unknown'), price('2026-06-01T00:00:00Z', '7')],
  }),
  Later: item('processing', { operations: ['Later'], prices: [price('2026-06-01T00:00:00Z', '1')] }),
  Store: storage([price(START, 'unknown'), { from: '2026-06-01T00:00:00Z', free: 'for now' }]),
}
const BOOK: Parts = {
  priceBook: 'p',
  currency: 'USD',
  operations: ['Ping'],
  eventTypes: { 't.page': { component: 'processing', operation: 'Render' } },
  items: ITEMS,
}

/** Of all of which something was accepted. */
const TYPES = new Set(['t.page'])

const withItems = (items: Parts): Parts => ({ ...BOOK, items: { ...ITEMS, ...items } })
const without = (name: string): Parts => {
  const { [name]: _, ...rest } = ITEMS
  return { ...BOOK, items: rest }
}

/** `code at path (operations) since hour: was -> becomes` */
function refused(next: Parts): readonly string[] {
  return comparePriceBooks(bookOf(BOOK), bookOf(next), OPEN, TYPES).map(
    ({ code, path, names, hour, was, becomes }) =>
      `${code.replace('price_book/', '')} at ${formatPath(path)} (${names.join(' ')}) ${formatHourStart(hour)}: ${was} -> ${becomes}`,
  )
}

// What may not change for an hour that has begun, one of each kind.
const REFUSED: Readonly<Record<string, readonly [next: Parts, ...said: string[]]>> = {
  'another price': [
    withItems({ Calls: item('request', { ...CALLS, prices: [price(START, '0.6')] }) }),
    'changed_price at items.Calls.rates.default.prices[0] (Get List) 2026-01-01T00:00:00Z: 0.5 -> 0.6',
  ],
  'another price in the hour that lasts': [
    withItems({ Calls: item('request', { ...CALLS, prices: [price(START, '0.5'), price(NOW, '0.6')] }) }),
    'changed_price at items.Calls.rates.default.prices[1] (Get List) 2026-11-24T13:00:00Z: 0.5 -> 0.6',
  ],
  'free instead of 0, and 0 instead of free': [
    withItems({ Store: storage([price(START, '0')]) }),
    'changed_price at items.Store.rates.default.prices[0] () 2026-06-01T00:00:00Z: free: for now -> 0',
  ],
  'another reason to be free': [
    withItems({ Store: storage([price(START, '1'), { from: '2026-06-01T00:00:00Z', free: 'for ever' }]) }),
    'changed_price at items.Store.rates.default.prices[1] () 2026-06-01T00:00:00Z: free: for now -> free: for ever',
  ],
  'unknown again': [
    withItems({ Calls: item('request', { ...CALLS, prices: [price(START, 'unknown')] }) }),
    'changed_price at items.Calls.rates.default.prices[0] (Get List) 2026-01-01T00:00:00Z: 0.5 -> unknown',
  ],
  'an end in the past': [
    withItems({ Calls: item('request', { ...CALLS, until: NOW }) }),
    'changed_price at items.Calls.rates.default.until (Get List) 2026-11-24T13:00:00Z: 0.5 -> not in force',
  ],
  'a later beginning': [
    withItems({ Pages: item('processing', { ...PAGES, prices: [price(NOW, '0.5')] }) }),
    'changed_price at items.Pages.rates.default.prices[0] (Render) 2026-01-01T00:00:00Z: 0.5 -> not in force',
  ],
  'other statuses': [
    withItems({ Calls: item('request', { ...CALLS, billedStatuses: ['2xx'] }) }),
    'changed_statuses at items.Calls.rates.default.billedStatuses (Get List) 2026-01-01T00:00:00Z: 1xx, 2xx, 3xx, 4xx -> 2xx',
  ],
  'another unit': [
    withItems({ Pages: item('processing', { ...PAGES, unit: 'sheet' }) }),
    'changed_unit at items.Pages.rates.default.unit (Render) 2026-01-01T00:00:00Z: 1 page -> 1 sheet',
  ],
  'a price for more': [
    withItems({ Calls: item('request', { ...CALLS, per: 100 }) }),
    'changed_unit at items.Calls.rates.default.per (Get List) 2026-01-01T00:00:00Z: 1000 call -> 100 call',
  ],
  'the same in other words, which are on the bill': [
    withItems({
      Store: item('storage', {
        unit: 'byte',
        per: 'GiB-hour',
        prices: [{ from: '2026-06-01T00:00:00Z', free: 'for now' }],
      }),
    }),
    'changed_unit at items.Store.rates.default.per () 2026-06-01T00:00:00Z: GB-hour -> GiB-hour',
  ],
  'an operation under another item': [
    withItems({
      Calls: item('request', { operations: ['Get'] }),
      Lists: item('request', { operations: ['List'] }),
    }),
    'changed_mapping at items.Calls.rates.default.operations (List) 2026-01-01T00:00:00Z: Calls/default -> not charged under it',
    'changed_mapping at items.Lists.rates.default.operations[0] (List) 2026-01-01T00:00:00Z: not charged under it -> Lists/default',
  ],
  'an operation under a second item': [
    withItems({ More: item('request', { operations: ['Fresh', 'Get'], prices: [price(NOW, '1')] }) }),
    'changed_mapping at items.More.rates.default.operations[1] (Get) 2026-11-24T13:00:00Z: not charged under it -> More/default',
  ],
  'a second item of unknown price, which would hold it': [
    withItems({ More: item('request', { operations: ['Get'], prices: [price(NOW, 'unknown')] }) }),
    'changed_mapping at items.More.rates.default.operations[0] (Get) 2026-11-24T13:00:00Z: not charged under it -> More/default',
  ],
  'an operation that is no longer known': [
    without('Scores'),
    'changed_mapping at operations (Score) 1970-01-01T00:00:00Z: known -> unknown',
  ],
  'a fee for an operation without one, in the hour that lasts': [
    withItems({ Pings: item('request', { operations: ['Ping'], prices: [price(NOW, '1')] }) }),
    'changed_mapping at items.Pings.rates.default.operations[0] (Ping) 2026-11-24T13:00:00Z: not charged under it -> Pings/default',
  ],
  'a price for an operation without a fee that is not known yet': [
    withItems({ Pings: item('request', { operations: ['Ping'], prices: [price(NOW, 'unknown')] }) }),
    'changed_mapping at items.Pings.rates.default.operations[0] (Ping) 2026-11-24T13:00:00Z: not charged under it -> Pings/default',
  ],
  'a fee that begins later, for an operation that is no longer said to have none before': [
    {
      ...withItems({ Pings: item('request', { operations: ['Ping'], prices: [price(SOON, '1')] }) }),
      operations: ['Pong'],
    },
    'changed_mapping at items.Pings.rates.default.operations[0] (Ping) 1970-01-01T00:00:00Z: no request fee -> Pings/default',
  ],
  'an item under another name': [
    withItems({ Calls: item('request', { operations: ['Other'] }), Requests: item('request', CALLS) }),
    'changed_mapping at items.Calls.rates.default.operations (Get List) 2026-01-01T00:00:00Z: Calls/default -> not charged under it',
    'changed_mapping at items.Requests.rates.default.operations[0] (Get List) 2026-01-01T00:00:00Z: not charged under it -> Requests/default',
  ],
  'an item of another component': [
    withItems({ Calls: item('processing', CALLS) }),
    'changed_mapping at items.Calls.component (Get List) 2026-01-01T00:00:00Z: Calls/default -> not charged under it',
    'changed_mapping at items.Calls.rates.default.operations[0] (Get List) 1970-01-01T00:00:00Z: no processing fee -> Calls/default',
  ],
  'stored data that was not charged': [
    withItems({ Copies: storage([price(NOW, '1')]) }),
    'changed_mapping at items.Copies.rates.default.prices[0].from () 2026-11-24T13:00:00Z: not charged under it -> Copies/default',
  ],
  'stored data that was not charged, as unknown: a way to charge it later': [
    withItems({ Copies: storage([price(NOW, 'unknown')]) }),
    'changed_mapping at items.Copies.rates.default.prices[0].from () 2026-11-24T13:00:00Z: not charged under it -> Copies/default',
  ],
  'stored data that is no longer charged': [
    without('Store'),
    'changed_mapping at items.Store.rates.default () 2026-06-01T00:00:00Z: Store/default -> not charged under it',
  ],
  'another currency': [
    { ...BOOK, currency: 'EUR' },
    'changed_currency at currency () 1970-01-01T00:00:00Z: USD -> EUR',
  ],
  'an event type that is read otherwise': [
    { ...BOOK, eventTypes: { 't.page': { component: 'request', operation: 'Render' } } },
    'changed_event_type at eventTypes."t.page" (t.page) 1970-01-01T00:00:00Z: processing usage of Render -> request usage of Render',
  ],
  'an event type for another operation': [
    { ...BOOK, eventTypes: { 't.page': { component: 'processing', operation: 'Score' } } },
    'changed_event_type at eventTypes."t.page" (t.page) 1970-01-01T00:00:00Z: processing usage of Render -> processing usage of Score',
  ],
  'another field that a quantity is read from': [
    {
      ...BOOK,
      eventTypes: { 't.page': { component: 'processing', operation: 'Render', quantities: { page: 'n' } } },
    },
    'changed_event_type at eventTypes."t.page" (t.page) 1970-01-01T00:00:00Z: processing usage of Render -> processing usage of Render with { page: "n" }',
  ],
}

for (const [name, [next, ...said]] of Object.entries(REFUSED)) {
  test(`refused: ${name}`, () => {
    expect(refused(next).toSorted()).toEqual(said.toSorted())
  })
}

const ends = { until: SOON }
const begins = { prices: [price(SOON, '0.5')] }

// The same from the first open hour on; and what was unknown, in any hour.
const ALLOWED: Readonly<Record<string, Parts>> = {
  'another price from the next hour on': withItems({
    Calls: item('request', { ...CALLS, prices: [price(START, '0.5'), price(SOON, '0.6')] }),
  }),
  'the same price in two terms': withItems({
    Calls: item('request', { ...CALLS, prices: [price(START, '0.50'), price(NOW, '0.5')] }),
  }),
  'a mark that a price is illustrative': withItems({
    Calls: item('request', { ...CALLS, prices: [{ from: START, price: '0.5', illustrative: true }] }),
  }),
  'an end': withItems({ Calls: item('request', { ...CALLS, ...ends }) }),
  'other statuses, under another item from the next hour on': withItems({
    Calls: item('request', { ...CALLS, ...ends }),
    Calls2: item('request', { ...CALLS, ...begins, billedStatuses: ['2xx'] }),
  }),
  'another unit, under another item from the next hour on': withItems({
    Pages: item('processing', { ...PAGES, ...ends }),
    Sheets: item('processing', { operations: ['Render'], unit: 'sheet', per: 10, ...begins }),
  }),
  'another mapping, under other items from the next hour on': withItems({
    Calls: item('request', { ...CALLS, ...ends }),
    Gets: item('request', { operations: ['Get'], ...begins }),
    Lists: item('request', { operations: ['List'], ...begins }),
  }),
  'a second item from the next hour on': withItems({
    More: item('request', { operations: ['Get'], ...begins }),
  }),
  'a fee for an operation without one, from the next hour on': withItems({
    Pings: item('request', { operations: ['Ping'], ...begins }),
    Pinged: item('processing', { operations: ['Ping'], unit: 'byte', ...begins }),
  }),
  'no fee before the first price: that usage is held': { ...BOOK, operations: ['Ping', 'Later', 'Score'] },
  'a price that was unknown': withItems({
    Scores: item('processing', {
      operations: ['Score'],
      prices: [price(START, '5'), price('2026-06-01T00:00:00Z', '7')],
    }),
  }),
  'a price before the first one: that usage is held': withItems({
    Later: item('processing', {
      operations: ['Later'],
      prices: [price(START, '9'), price('2026-06-01T00:00:00Z', '1')],
    }),
  }),
  'a price of stored data that was unknown': withItems({
    Store: storage([price(START, '0.1'), { from: '2026-06-01T00:00:00Z', free: 'for now' }]),
  }),
  'stored data of another item from the next hour on': withItems({ Copies: storage([price(SOON, '1')]) }),
  'an operation that was unknown, with a fee': withItems({
    Calls: item('request', { operations: ['Get', 'List', 'Fresh'] }),
  }),
  'an operation that was unknown, without a fee': { ...BOOK, operations: ['Ping', 'Fresh'] },
  'an event type that was unknown': {
    ...BOOK,
    eventTypes: { ...(BOOK['eventTypes'] as Parts), 't.new': { component: 'request', operation: 'Get' } },
  },
  'another name of the book': { ...BOOK, priceBook: 'q' },
}

for (const [name, next] of Object.entries(ALLOWED)) {
  test(`allowed: ${name}`, () => {
    expect(refused(next)).toEqual([])
  })
}

test('an operation that got a fee later stays without one before: it would be held', () => {
  const items = { Pings: item('request', { operations: ['Ping'], ...begins }) }
  const [old, next] = [withItems(items), { ...withItems(items), operations: ['Pong'] }]
  const changes = comparePriceBooks(bookOf(old), bookOf(next), OPEN, TYPES)
  expect(changes.map(({ path, names, hour, message, fix }) => [path, names, hour, message, fix])).toEqual([
    [
      ['operations'],
      ['Ping'],
      0,
      'Ping has no fee at 1970-01-01T00:00:00Z, and usage would be held.',
      'list Ping under operations again: where no item is in force, that says that there is no fee',
    ],
  ])
})

test('the advice is what may be written: keep what lasts until the next hour, and restore what is over', () => {
  const fixes = (prices: Json) =>
    comparePriceBooks(
      bookOf(
        withItems({
          Calls: item('request', {
            ...CALLS,
            prices: [price(START, '0.5'), price(MAY, '0.5'), price(JUNE, '1')],
          }),
        }),
      ),
      bookOf(withItems({ Calls: item('request', { ...CALLS, prices }) })),
      OPEN,
      TYPES,
    ).map(({ path, fix }) => `${formatPath(path)}: ${fix}`)
  expect(fixes([price(START, '0.6'), price(JUNE, '2')])).toEqual([
    'items.Calls.rates.default.prices[0]: write price: "0.5" for these hours as before: they have begun, and keep it',
    'items.Calls.rates.default.prices[1]: keep price: "1" until "2026-11-24T14:00:00Z", and add a term from there',
  ])
})

// Guarantee: nobody stops the process with a book that is within the limits. It takes a second or two.
test('a book of a megabyte in which everything differs everywhere is compared in seconds', () => {
  const names = Array.from({ length: 600 }, (_, at) => `O${at}`)
  const items = (statuses: Json, text: (at: number) => string) =>
    Object.fromEntries(
      Array.from({ length: 16 }, (_, at) => {
        const listed = names.filter(
          (_name, bit) => at === 0 || ((Math.imul(bit, 2_654_435_761) >>> (at + 8)) & 1) === 1,
        )
        const prices = Array.from({ length: 900 }, (_term, hour) =>
          price(formatHourStart((300_000 + hour * 20 + at) as Hour), text(hour)),
        )
        return [`I${at}`, item('request', { operations: listed, billedStatuses: statuses, prices })]
      }),
    )
  const [old, next] = [
    bookOf({ ...BOOK, items: { ...ITEMS, ...items(['2xx'], (at) => (at % 2 ? '1' : 'unknown')) } }),
    bookOf({ ...BOOK, items: { ...ITEMS, ...items(['4xx'], (at) => (at % 2 ? '1' : String(at))) } }),
  ]
  const before = process.cpuUsage()
  expect(comparePriceBooks(old, next, 10_000_000 as Hour, TYPES)).toHaveLength(16)
  expect(process.cpuUsage(before).user / 1_000).toBeLessThan(8_000)
})

test('every hour that has begun counts, and the next one does not', () => {
  const next = withItems({
    Calls: item('request', { ...CALLS, prices: [price(START, '0.5'), price(SOON, '0.6')] }),
  })
  const at = (hour: number) => comparePriceBooks(bookOf(BOOK), bookOf(next), hour as Hour, TYPES).length
  expect([at(OPEN), at(OPEN + 1)]).toEqual([0, 1])
})

const time = (hour: Hour | null) => (hour === null ? '' : formatHourStart(hour))

/** `kind place names from..to: was -> becomes` */
function changes(next: Parts): readonly string[] {
  return changesBetween(bookOf(BOOK), bookOf(next)).map(
    ({ kind, item: name, names, from, to, was, becomes }) =>
      `${kind} ${name ?? ''} (${names.join(' ')}) ${time(from)}..${time(to)}: ${was} -> ${becomes}`,
  )
}

test('what differs, and from when on', () => {
  expect(
    changes({
      ...withItems({
        Calls: item('request', {
          operations: ['Get', 'List', 'Fresh'],
          prices: [price(START, '0.50'), price(SOON, '0.6'), price('2027-01-01T00:00:00Z', '0.5')],
          billedStatuses: ['2xx'],
        }),
        Pages: item('processing', { ...PAGES, per: 2, ...ends }),
        Scores: item('processing', { operations: ['Score'], prices: [price(START, '7')] }),
        Copies: storage([{ from: SOON, free: 'for now' }]),
      }),
      priceBook: 'q',
      operations: ['Pong', 'Score'],
      eventTypes: {
        't.page': { component: 'processing', operation: 'Render' },
        't.new': { component: 'storage' },
      },
    }),
  ).toEqual([
    'book_renamed  () ..: p -> q',
    'event_type_added  (t.new) ..: null -> storage usage',
    'operations_known  (Fresh Pong) ..: null -> null',
    'operations_unknown  (Ping) ..: null -> null',
    'operations_free  (Score) ..: null -> null',
    'operations_listed Calls (Fresh) ..: null -> null',
    'statuses_changed Calls () ..: 1xx, 2xx, 3xx, 4xx -> 2xx',
    'price_changed Calls () 2026-11-24T14:00:00Z..2027-01-01T00:00:00Z: 0.5 -> 0.6',
    'unit_changed Pages () ..: 1 page -> 2 page',
    'price_changed Pages () 2026-11-24T14:00:00Z..: 0.5 -> null',
    'price_filled Scores () 2026-01-01T00:00:00Z..2026-06-01T00:00:00Z: unknown -> 7',
    'rate_added Copies () ..: null -> GB-hour',
    'price_changed Copies () 2026-11-24T14:00:00Z..: null -> free: for now',
  ])
})

test('nothing differs between two ways to write one book', () => {
  expect(
    changes({
      ...withItems({
        Calls: item('request', {
          operations: ['List', 'Get'],
          billedStatuses: ['4xx', '3xx', '2xx', '1xx'],
          prices: [price('2026-01-01T08:00:00+08:00', '0.50'), price(NOW, '0.5')],
        }),
      }),
    }),
  ).toEqual([])
})

test('an event type of which nothing was accepted may be changed, and removed', () => {
  const changed = [{ component: 'request', operation: 'Get' }, { component: 'storage' }].map((type) => ({
    't.page': type,
  }))
  for (const eventTypes of [...changed, { 't.other': { component: 'storage' } }] as readonly Json[]) {
    const next = { ...BOOK, eventTypes }
    expect(comparePriceBooks(bookOf(BOOK), bookOf(next), OPEN, new Set(['t.other']))).toEqual([])
    expect(refused(next)).toHaveLength(1)
  }
})
