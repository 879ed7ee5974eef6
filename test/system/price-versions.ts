import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { type Hour, hourOf, startOf } from '../../src/core/time/hour.ts'
import { formatInstant, type Instant } from '../../src/core/time/instant.ts'
import { type PublishPriceBook, publishPriceBook } from '../../src/flows/prices/publish-price-book.ts'
import { type Deployment, deployment } from './deployment.ts'

type Parts = { readonly [key: string]: Json }

export const ALWAYS = '2025-01-01T00:00:00Z'
export const thisHour = (): Hour => hourOf(Date.now() as Instant)
export const time = (hour: number): string => formatInstant(startOf(hour as Hour))
export const price = (from: string | number, text: string): Json => {
  return { from: typeof from === 'number' ? time(from) : from, price: text }
}

export const item = (component: string, rate: Parts): Json => ({
  component,
  rates: { default: { unit: 'call', per: 1000, prices: [price(ALWAYS, '0.5')], ...rate } },
})

/** A book with one of each component, and a price that is not known. Not a demo. */
export const ITEMS: Parts = {
  Calls: item('request', { operations: ['Get', 'List'] }),
  Pages: item('processing', { operations: ['Render'], unit: 'page', per: 1 }),
  Scores: item('processing', { operations: ['Score'], prices: [price(ALWAYS, 'unknown')] }),
  Store: item('storage', { unit: 'byte', per: 'GB-hour', prices: [{ from: ALWAYS, free: 'for now' }] }),
}
export const BOOK: Parts = { priceBook: 'test', currency: 'EUR', operations: ['Ping'], items: ITEMS }
export const withItems = (items: Parts): Parts => ({ ...BOOK, items: { ...ITEMS, ...items } })

/** A deployment that starts with the book. */
export function deployedWith(book: Json, firstHour?: Hour): Promise<Deployment> {
  const path = join(mkdtempSync(join(tmpdir(), 'farthing-book-')), 'book.yaml')
  writeFileSync(path, JSON.stringify(book))
  return deployment(firstHour, path)
}

export function publish(
  { pool }: Pick<Deployment, 'pool'>,
  book: Json,
  more: Partial<PublishPriceBook> = {},
) {
  const source = Buffer.from(typeof book === 'string' ? book : JSON.stringify(book))
  const request = { source, file: 'book.yaml', actor: 'key_test', dryRun: false, basedOn: undefined }
  return publishPriceBook(pool, { ...request, ...more })
}

export function usage(id: string, hour: number, data: Parts, more: Parts = {}): Json {
  const event = { specversion: '1.0', id, source: 'test', type: 'farthing.request', subject: 'acme' }
  return { ...event, time: time(hour), data: { status: 200, ...data }, ...more }
}
