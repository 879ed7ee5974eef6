import type { Level } from '../../core/meter/level.ts'
import { plain } from '../../core/money/decimal.ts'
import { formatInstant, type Instant } from '../../core/time/instant.ts'
import { listLevelsNow } from '../../flows/read/list-levels-now.ts'
import { PAGE } from '../../api/parameters.ts'
import { GetStorage } from '../../api/storage.ts'
import { accountOf } from '../access.ts'
import { readCursor, writeCursor } from '../api/cursor.ts'
import { HttpProblem } from '../api/problem.ts'
import { route } from '../route.ts'

export const getStorage = route({
  ...GetStorage,
  access: { scope: 'usage:read', boundKeys: 'own' },
  async handle({ query, key }, { reading }) {
    const account = accountOf(key, query.account)
    if (account === undefined) {
      throw new HttpProblem('request/missing_parameter', 'The parameter account is missing: say whose data.')
    }
    const after = readCursor('storage', ['text', 'text', 'text'], query.cursor)
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
