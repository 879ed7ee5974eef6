import Type from 'typebox'
import type { Level } from '../../core/meter/level.ts'
import { plain } from '../../core/money/decimal.ts'
import { formatInstant, type Instant } from '../../core/time/instant.ts'
import { listLevelsNow } from '../../flows/read/list-levels-now.ts'
import { accountOf } from '../access.ts'
import { readCursor, writeCursor } from '../api/cursor.ts'
import { optionalText, PAGE, PageParameters } from '../api/parameters.ts'
import { HttpProblem } from '../api/problem.ts'
import { route } from '../route.ts'
import { Decimal, Nullable, Text, Time } from '../api/views.ts'

const Stored = Type.Object({
  project: Nullable,
  dataset: Nullable,
  region: Nullable,
  bytes: Decimal,
  since: Type.String({ format: 'date-time', description: 'The time of the event that announced the level' }),
  ageSeconds: Type.Integer({ description: 'From then until `asOf`: so long nothing was reported' }),
  source: Text,
  id: Text,
})

export const getStorage = route({
  method: 'GET',
  url: '/v1/storage',
  access: { scope: 'usage:read', boundKeys: 'own' },
  summary: 'What an account stores now, and since when, by project and dataset',
  query: Type.Object({
    account: optionalText('Whose data. Left out with a key that is bound to one'),
    ...PageParameters,
  }),
  answers: { 200: Type.Object({ items: Type.Array(Stored), next: Nullable, asOf: Time }) },
  async handle({ query, key }, { reading }) {
    const account = accountOf(key, query.account)
    if (account === undefined) {
      throw new HttpProblem('request/missing_parameter', 'The parameter account is missing: say whose data.')
    }
    const after = readCursor('storage', ['string', 'string'], query.cursor)
    const read = await listLevelsNow(reading, { account, after, limit: query.limit ?? PAGE })
    if (!read.ok) throw new HttpProblem(read.code, read.detail)
    const { items, next, asOf } = read.levels
    return {
      items: items.map((level) => levelView(level, asOf)),
      next: writeCursor('storage', next),
      asOf: formatInstant(asOf),
    }
  },
})

function levelView({ project, dataset, region, bytes, at, source, id }: Level, asOf: Instant) {
  const ageSeconds = Math.floor((asOf - at) / 1000)
  return { project, dataset, region, bytes: plain(bytes), since: formatInstant(at), ageSeconds, source, id }
}
