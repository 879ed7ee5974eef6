import type { Json } from '../../core/text/canonical-json.ts'
import { formatInstant } from '../../core/time/instant.ts'
import { findPriceVersion } from '../../flows/prices/read-price-version.ts'
import { findDeployment } from '../../flows/shared/read-deployment.ts'
import type { PriceVersion } from '../../store/price-versions.ts'
import type { Sql } from '../../store/query.ts'
import { GetNewestPriceBook, GetPriceBook } from '../../api/price-book.ts'
import { route } from '../route.ts'
import { hasNewest, hasUnchanging } from '../unchanged.ts'
import { noVersion } from './price-versions.ts'

/** Prices are for everyone who pays them. */
const ACCESS = { scope: 'any', boundKeys: 'same' } as const

export const getNewestPriceBook = route({
  ...GetNewestPriceBook,
  access: ACCESS,
  async handle({ request, reply }, { reading }) {
    const newest = await requireVersion(reading, null)
    if (hasNewest({ request, reply }, tagOf(newest))) return reply.code(304).send()
    return show(reading, newest)
  },
})

export const getPriceBook = route({
  ...GetPriceBook,
  access: ACCESS,
  async handle({ params, request, reply }, { reading }) {
    const version = await requireVersion(reading, params.version)
    if (hasUnchanging({ request, reply }, tagOf(version))) return reply.code(304).send()
    return show(reading, version)
  },
})

/** The newest for null. */
async function requireVersion(sql: Sql, number: number | null): Promise<PriceVersion> {
  const found = await findPriceVersion(sql, number)
  if (found) return found
  throw noVersion(number!)
}

/** A later version may say again what an older one said. */
function tagOf({ version, digest }: PriceVersion): string {
  return `${version}-${digest}`
}

async function show(sql: Sql, version: PriceVersion) {
  const { demo } = await findDeployment(sql)
  return versionView(version, demo)
}

/** `digest` is SHA-256 of the RFC 8785 form of `book`. */
function versionView({ version, publishedAt, digest, book }: PriceVersion, demo: boolean) {
  return { version, publishedAt: formatInstant(publishedAt), demo, digest, book: JSON.parse(book) as Json }
}
