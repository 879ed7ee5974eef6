import { formatHourStart, type Hour, hourOf, next } from '../../core/time/hour.ts'
import { listSources, SOURCE_HOURS_MAX } from '../../flows/read/read-sources.ts'
import { silencesOf } from '../../flows/sources/list-sources-of-hour.ts'
import { PAGE } from '../../api/parameters.ts'
import { GetSources } from '../../api/sources.ts'
import { accountOf } from '../access.ts'
import { readCursor, writeCursor } from '../api/cursor.ts'
import { type HourRange, readHourRange, requireShort } from '../api/parameters.ts'
import { HttpProblem } from '../api/problem.ts'
import { route } from '../route.ts'

/** Unless told: the hours of the last day. */
const HOURS = 24

export const getSources = route({
  ...GetSources,
  access: { scope: 'usage:read', boundKeys: 'own' },
  async handle({ query, key }, { reading, now }) {
    const range = rangeOf(query, next(hourOf(now())))
    requireShort(range, SOURCE_HOURS_MAX, '31 days')
    const [after] = readCursor('sources', ['text'], query.cursor) ?? []
    const account = accountOf(key, query.account)
    const read = await listSources(reading, { ...range, account, after, limit: query.limit ?? PAGE })
    if (!read.ok) throw new HttpProblem(read.code, read.detail)
    const { page } = read
    // Whether others hear from it is nothing that a key of one account sees.
    const names = key?.account === undefined ? page.items.map(({ source }) => source) : []
    const silences = await silencesOf(reading, names)
    const items = page.items.map((item) => {
      const since = silences.get(item.source)
      return { ...item, silentSince: since === undefined ? null : formatHourStart(since) }
    })
    return { items, next: writeCursor('sources', page.next === null ? null : [page.next]) }
  },
})

/** A cursor alone does not hold the range: the default moves on with the hour, and so does the page. */
function rangeOf(query: { from?: string; to?: string }, end: Hour): HourRange {
  const { from, to } = readHourRange(query)
  const until = query.to === undefined ? (Math.max(end, from) as Hour) : to
  return { from: query.from === undefined ? (Math.max(until - HOURS, 0) as Hour) : from, to: until }
}
