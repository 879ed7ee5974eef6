import type { PriceBook } from '../../src/core/rate/price-book/price-book.ts'
import { readPriceBook } from '../../src/core/rate/price-book/parse/read-price-book.ts'
import type { Json } from '../../src/core/text/canonical-json.ts'

const START = '2025-01-01T00:00:00Z'
const CHANGE = '2025-07-28T11:00:00+08:00'

export function bookOf(data: Json): PriceBook {
  const read = readPriceBook(data)
  if (!read.ok) throw new Error(read.problems.map(({ message, fix }) => `${message} ${fix}`).join('\n'))
  return read.book
}

const perThousand = (operations: readonly string[], prices: Json) => ({
  operations,
  unit: 'call',
  per: 1000,
  prices,
})

/** The book of the core's tests: small, and with one case for each rule of ARCHITECTURE.md. */
export const BOOK_DATA = {
  priceBook: 'test',
  currency: 'USD',
  operations: ['GetProject'],
  eventTypes: {
    'com.example.render': { component: 'processing', operation: 'RenderPage' },
    'com.example.level': { component: 'storage' },
  },
  items: {
    StandardQueryL0: {
      component: 'request',
      rates: { default: perThousand(['SimpleQuery'], [{ from: START, price: '0.005' }]) },
    },
    StandardQueryL1: {
      component: 'request',
      rates: { default: perThousand(['SemanticQuery'], [{ from: START, price: '0.01' }]) },
    },
    SemanticUnderstanding: {
      component: 'request',
      rates: { default: perThousand(['SemanticQuery'], [{ from: START, price: '0.3' }]) },
    },
    AllAnswers: {
      component: 'request',
      rates: {
        default: {
          ...perThousand(['Ping'], [{ from: START, price: '1' }]),
          billedStatuses: ['2xx', '5xx'],
        },
      },
    },
    ImageDetect: {
      component: 'processing',
      rates: {
        faces: perThousand(['DetectImageFaces', 'CompareImageFaces'], [{ from: START, price: '0.028' }]),
        bodies: perThousand(
          ['DetectImageBodies'],
          [
            { from: START, free: 'for a limited time' },
            { from: CHANGE, price: '0.028' },
          ],
        ),
      },
    },
    // An operation under two items, each with its own unit.
    Highlight: {
      component: 'processing',
      rates: { default: perThousand(['CreateHighlightTask'], [{ from: START, price: '2.5' }]) },
    },
    MediaConvert: {
      component: 'processing',
      rates: {
        default: {
          operations: ['CreateMediaConvertTask', 'CreateHighlightTask'],
          unit: 'millisecond',
          per: 'minute',
          prices: [{ from: START, price: '0.0084' }],
        },
      },
    },
    RenderPage: {
      component: 'processing',
      rates: {
        default: {
          operations: ['RenderPage'],
          unit: 'page',
          per: 3,
          prices: [{ from: START, price: '0.07' }],
        },
      },
    },
    PriceToCome: {
      component: 'processing',
      rates: {
        default: perThousand(
          ['DetectImageScore', 'DetectPartly'],
          [
            { from: START, price: 'unknown' },
            { from: CHANGE, price: '0.0424528' },
          ],
        ),
      },
    },
    PartlyPriced: {
      component: 'processing',
      rates: { default: perThousand(['DetectPartly'], [{ from: START, price: '3' }]) },
    },
    StartsLater: {
      component: 'processing',
      rates: {
        default: perThousand(['DetectLater', 'DetectBoth'], [{ from: CHANGE, price: '1' }]),
      },
    },
    EndsEarlier: {
      component: 'processing',
      rates: {
        default: { ...perThousand(['DetectBoth'], [{ from: START, price: '2' }]), until: CHANGE },
      },
    },
    IndexStorage: {
      component: 'storage',
      rates: {
        default: {
          unit: 'byte',
          per: 'GB-hour',
          prices: [
            { from: START, free: 'until announced' },
            { from: CHANGE, price: '0.0000315' },
          ],
        },
      },
    },
  },
} satisfies Json

export const BOOK: PriceBook = bookOf(BOOK_DATA)
