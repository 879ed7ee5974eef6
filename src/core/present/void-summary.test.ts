import { publicPrices } from '../rate/rating/account-prices.ts'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parsePriceBook } from '../../flows/prices/parse-price-book.ts'
import { accept } from '../ingest/accept.ts'
import type { UsageEvent } from '../ingest/event.ts'
import { isRejection } from '../ingest/rejection.ts'
import type { Json } from '../text/canonical-json.ts'
import type { Hour } from '../time/hour.ts'
import type { Instant } from '../time/instant.ts'
import { addSummaries, summarizeVoids, type TakenBack } from './void-summary.ts'

const parsed = parsePriceBook(readFileSync('scenarios/price-book.yaml', 'utf8'), 'price-book.yaml')
if (!parsed.ok) throw new Error('the scenarios have no price book')
const { book } = parsed

function event(type: string, data: Json): UsageEvent {
  const time = '2025-07-28T09:00:00Z'
  const raw = {
    specversion: '1.0',
    id: '1',
    source: 's',
    type: `farthing.${type}`,
    subject: 'acme',
    time,
    data,
  }
  const read = accept(raw, { receivedAt: Date.now() as Instant, eventTypes: book.eventTypes })
  if (isRejection(read)) throw new Error(read.detail)
  return read
}
const request = (operation: string, status = 200) => event('request', { operation, status })
const level = event('storage', { bytes: '5' })
const { hour } = level
const late = (hour + 5) as Hour

const billed = { isDuplicate: false, cycle: late, counted: hour }
const leftOut = { isDuplicate: false, cycle: late, counted: late }
const nowhere = { isDuplicate: false, cycle: late, counted: null }

function summary(...taken: readonly TakenBack[]) {
  return summarizeVoids(
    { prices: publicPrices(book), positions: new Map() },
    { account: 'acme', taken, storage: '0' },
  )
}

test('what was billed is given back, what was not will not be: two exact sums', () => {
  // Per 1,000 calls: a semantic query 0.1 and 0.25 for its understanding, a simple one 0.005.
  const found = summary(
    { event: request('SemanticQuery'), ...billed },
    { event: request('SimpleQuery'), ...billed },
    { event: request('SimpleQuery'), ...leftOut },
  )
  const counts = { voided: 3, held: 0, duplicates: 0, levels: 0, storage: '0' }
  expect(found).toEqual({ ...counts, givenBack: '-0.000355', notBilled: '-0.000005' })
})

test('what was waived, held, free, a copy or a level is counted, and comes to nothing', () => {
  const found = summary(
    { event: request('SimpleQuery', 503), ...billed },
    { event: request('GetProject'), ...billed },
    { event: request('Teleport'), ...nowhere },
    { event: request('Teleport'), ...leftOut },
    { event: request('SimpleQuery'), ...nowhere, isDuplicate: true },
    { event: level, ...billed },
    { event: level, ...leftOut },
  )
  const counts = { voided: 7, held: 2, duplicates: 1, levels: 2, storage: '0' }
  expect(found).toEqual({ ...counts, givenBack: '0', notBilled: '0' })
})

test('an order in two parts comes to what it comes to in one', () => {
  const parts: readonly TakenBack[] = [
    { event: request('SemanticQuery'), ...billed },
    { event: request('SimpleQuery'), ...leftOut },
    { event: level, ...billed },
  ]
  const [first, ...others] = parts
  expect(addSummaries(summary(first!), summary(...others))).toEqual(summary(...parts))
  const [a, b] = ['-0.1', '0.25'].map((storage) => ({ ...summary(), storage }))
  expect(addSummaries(a!, b!).storage).toBe('0.15')
  expect(addSummaries(a!, { ...b!, storage: null }).storage).toBe(null)
})
