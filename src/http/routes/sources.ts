import Type from 'typebox'
import { formatHourStart, type Hour, hourOf, next } from '../../core/time/hour.ts'
import { listSources, SOURCE_HOURS_MAX } from '../../flows/read/read-sources.ts'
import { silencesOf } from '../../flows/sources/list-sources-of-hour.ts'
import { accountOf } from '../access.ts'
import { readCursor, writeCursor } from '../api/cursor.ts'
import {
  type HourRange,
  optionalText,
  optionalTime,
  PAGE,
  PageParameters,
  readHourRange,
  requireShort,
} from '../api/parameters.ts'
import { HttpProblem } from '../api/problem.ts'
import { pageOf, route } from '../route.ts'
import { Text, Time } from '../api/views.ts'

/** Unless told: the hours of the last day. */
const HOURS = 24

const Source = Type.Object({
  source: Text,
  events: Type.Integer({ description: 'Its events of these hours' }),
  lateEvents: Type.Integer({ description: 'Those that count in a later hour than their own' }),
  lines: Type.Integer({ description: 'Lines of bills that its events are behind' }),
  correctionLines: Type.Integer({ description: 'Those that correct an older hour' }),
  share: Type.Number({
    minimum: 0,
    maximum: 1,
    description: 'correctionLines of lines, rounded to 4 digits',
  }),
  silentSince: Type.Union([Time, Type.Null()], {
    description:
      'It usually reports, and has sent nothing since this hour; null: it has; and for a bound key',
  }),
})

export const getSources = route({
  method: 'GET',
  url: '/v1/sources',
  access: { scope: 'usage:read', boundKeys: 'own' },
  summary: 'Which sources send late: their events and lines by the hour in which the usage happened',
  query: Type.Object({
    account: optionalText('Only usage of this account'),
    from: optionalTime('Hours that start at this time or later; by default a day before `to`'),
    to: optionalTime('Hours that start before this time; by default the end of this hour'),
    ...PageParameters,
  }),
  answers: { 200: pageOf(Source) },
  async handle({ query, key }, { reading, now }) {
    const range = rangeOf(query, next(hourOf(now())))
    requireShort(range, SOURCE_HOURS_MAX, '31 days')
    const [after] = readCursor('sources', ['string'], query.cursor) ?? []
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
