import Type from 'typebox'
import { formatHourStart, type Hour, next } from '../../core/time/hour.ts'
import { formatInstant } from '../../core/time/instant.ts'
import { type Cycle, listCycles } from '../../flows/read/read-cycles.ts'
import { readCursor, writeCursor } from '../cursor.ts'
import { optionalTime, PAGE, PageParameters, readHourRange } from '../parameters.ts'
import { pageOf, route } from '../route.ts'
import { NullableTime, Range } from '../views.ts'

const CycleView = Type.Object({
  cycle: Range,
  state: Type.Enum(['open', 'sealed', 'settled']),
  sealedAt: NullableTime,
  settledAt: NullableTime,
  lagSeconds: Type.Union([Type.Number(), Type.Null()], {
    description:
      'From the end of the hour to its last bill; so far, if it has none; null while the hour lasts',
  }),
  priceVersion: Type.Union([Type.Integer(), Type.Null()]),
})

export const getCycles = route({
  method: 'GET',
  url: '/v1/cycles',
  access: { scope: 'usage:read', boundKeys: 'same' },
  summary: 'The hours since the first start, newest first: which are sealed, and which have their bills',
  query: Type.Object({
    from: optionalTime('Only hours that start at this time or later'),
    to: optionalTime('Only hours that start before this time'),
    ...PageParameters,
  }),
  answers: { 200: pageOf(CycleView) },
  async handle({ query }, { reading }) {
    const { from, to } = readHourRange(query)
    const position = readCursor('cycles', ['int'], query.cursor)
    const before = position ? (Math.min(position[0], to) as Hour) : to
    const page = await listCycles(reading, { from, to: before, limit: query.limit ?? PAGE })
    return {
      items: page.items.map(cycleView),
      next: writeCursor('cycles', page.next === null ? null : [page.next]),
    }
  },
})

function cycleView({ hour, state, priceVersion, sealedAt, settledAt, lagMs }: Cycle) {
  return {
    cycle: { from: formatHourStart(hour), to: formatHourStart(next(hour)) },
    state,
    sealedAt: sealedAt === null ? null : formatInstant(sealedAt),
    settledAt: settledAt === null ? null : formatInstant(settledAt),
    lagSeconds: lagMs === null ? null : lagMs / 1000,
    priceVersion,
  }
}
