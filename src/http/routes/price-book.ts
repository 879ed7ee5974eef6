import Type from 'typebox'
import { formatInstant } from '../../core/time/instant.ts'
import { findPriceVersion } from '../../flows/prices/read-price-version.ts'
import { findDeployment } from '../../flows/shared/read-deployment.ts'
import type { PriceVersion } from '../../store/price-versions.ts'
import type { Sql } from '../../store/query.ts'
import { route } from '../route.ts'
import { Digest, Time } from '../api/views.ts'
import { noVersion, VersionNumber } from './price-versions.ts'

/** Prices are for everyone who pays them. */
const ACCESS = { scope: 'any', boundKeys: 'same' } as const

const Version = Type.Object({
  version: Type.Integer({ minimum: 1 }),
  publishedAt: Time,
  demo: Type.Boolean({ description: 'With illustrative prices, for good' }),
  digest: Digest,
  book: Type.Object({}, { additionalProperties: true, description: 'The whole rule set' }),
})

export const getNewestPriceBook = route({
  method: 'GET',
  url: '/v1/price-book',
  access: ACCESS,
  summary: 'The newest version of the price book',
  answers: { 200: Version },
  handle: (_, { reading }) => show(reading, null),
})

export const getPriceBook = route({
  method: 'GET',
  url: '/v1/price-book/:version',
  access: ACCESS,
  summary: 'One version of the price book',
  params: Type.Object({
    version: VersionNumber,
  }),
  answers: { 200: Version },
  handle: ({ params }, { reading }) => show(reading, params.version),
})

async function show(sql: Sql, number: number | null) {
  const [found, { demo }] = await Promise.all([findPriceVersion(sql, number), findDeployment(sql)])
  if (found) return versionView(found, demo)
  throw noVersion(number!)
}

/** `digest` is SHA-256 of the RFC 8785 form of `book`. */
function versionView({ version, publishedAt, digest, book }: PriceVersion, demo: boolean) {
  return { version, publishedAt: formatInstant(publishedAt), demo, digest, book: JSON.parse(book) as unknown }
}
