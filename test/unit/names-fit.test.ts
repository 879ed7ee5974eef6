import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { stringify } from 'yaml'
import { expect, test } from 'vitest'
import { isRejection } from '../../src/core/ingest/rejection.ts'
import { assess } from '../../src/core/rate/rating/assess.ts'
import { readLogMap } from '../../src/core/access-log/read-log-map.ts'
import { parsePriceBook } from '../../src/flows/prices/parse-price-book.ts'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { acceptOne, anyName } from '../names.ts'

/**
 * A name goes through several parts: the SDK (sdk/src/facts.test.ts) or an access log mapping gives it to an event, the
 * server takes the event, and a price book lists it. None may take what a later one refuses: such usage could never be
 * billed.
 */

const schema = JSON.parse(readFileSync('price-books/price-book.schema.json', 'utf8'))
const fitsSchema = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false }).compile(schema)

const bookOf = (operation: string, type: string): Json => ({
  priceBook: 'b',
  currency: 'USD',
  eventTypes: { [type]: { component: 'processing', operation, quantities: { call: 1 } } },
  items: {
    Calls: {
      component: 'request',
      rates: {
        default: {
          operations: [operation],
          unit: 'call',
          per: 1000,
          prices: [{ from: '2026-01-01T00:00:00Z', price: '1' }],
        },
      },
    },
  },
})

test('an operation that one part takes is taken by all, and billed under a book that lists it', () => {
  fc.assert(
    fc.property(anyName, (operation) => {
      const event = acceptOne('farthing.request', { operation, status: 200 })
      const isAccepted = !isRejection(event)
      const yaml = stringify(bookOf(operation, 'x'), { lineWidth: 0 })
      const parsed = parsePriceBook(yaml, 'b.yaml')
      const map = { format: 'combined', account: { value: 'a' }, operations: { 'GET /x': operation } }
      expect({
        book: parsed.ok,
        map: readLogMap(map, undefined).ok,
      }).toEqual({ book: isAccepted, map: isAccepted })
      // A schema counts characters, not bytes.
      if (isAccepted) expect(fitsSchema(bookOf(operation, 'x'))).toBe(true)
      if (!isAccepted || !parsed.ok) return
      expect(assess(parsed.book, event)).toMatchObject({ outcome: 'accepted', charges: [{}] })
    }),
    { numRuns: 500 },
  )
})

test('an event type that the server takes can be declared, as OpenMeter, Lago and Stripe name theirs', () => {
  fc.assert(
    fc.property(anyName, (type) => {
      const isAccepted = !isRejection(acceptOne(type, { value: 1 }))
      const data = bookOf('Call', type)
      const parsed = parsePriceBook(stringify(data, { lineWidth: 0 }), 'b.yaml')
      expect(type.startsWith('farthing.') || parsed.ok).toBe(isAccepted)
      if (isAccepted) expect(fitsSchema({ ...(data as object) })).toBe(true)
    }),
    { numRuns: 500 },
  )
})
