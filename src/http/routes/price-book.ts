import type { Json } from '../../core/text/canonical-json.ts'
import { formatInstant } from '../../core/time/instant.ts'
import { findPriceVersion } from '../../flows/prices/read-price-version.ts'
import { findDeployment } from '../../flows/shared/read-deployment.ts'
import type { PriceVersion } from '../../store/price-versions.ts'
import type { Sql } from '../../store/query.ts'
import { GetNewestPriceBook, GetPriceBook } from '../../api/price-book.ts'
import { route } from '../route.ts'
import { noVersion } from './price-versions.ts'

/** Prices are for everyone who pays them. */
const ACCESS = { scope: 'any', boundKeys: 'same' } as const

export const getNewestPriceBook = route({
  ...GetNewestPriceBook,
  access: ACCESS,
  handle: (_, { reading }) => show(reading, null),
})

export const getPriceBook = route({
  ...GetPriceBook,
  access: ACCESS,
  handle: ({ params }, { reading }) => show(reading, params.version),
})

async function show(sql: Sql, number: number | null) {
  const [found, { demo }] = await Promise.all([findPriceVersion(sql, number), findDeployment(sql)])
  if (found) return versionView(found, demo)
  throw noVersion(number!)
}

/** `digest` is SHA-256 of the RFC 8785 form of `book`. */
function versionView({ version, publishedAt, digest, book }: PriceVersion, demo: boolean) {
  return { version, publishedAt: formatInstant(publishedAt), demo, digest, book: JSON.parse(book) as Json }
}
