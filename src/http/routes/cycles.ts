import Type from 'typebox'
import { endOf, formatHourStart, type Hour, next } from '../../core/time/hour.ts'
import { formatInstant, type Instant } from '../../core/time/instant.ts'
import { type Cycle, listCycles } from '../../flows/read/read-cycles.ts'
import { readCursor, writeCursor } from '../api/cursor.ts'
import { optionalTime, PAGE, PageParameters, readHourRange } from '../api/parameters.ts'
import { pageOf, route } from '../route.ts'
import { NullableTime, Range, Time } from '../api/views.ts'

const CycleView = Type.Object({
  cycle: Range,
  endedAt: Type.Union([Time, Type.Null()], { description: 'Null while the hour lasts' }),
  sealingDueAt: Type.String({ format: 'date-time', description: 'Its end and the grace of this server' }),
  state: Type.Enum(['open', 'sealed', 'settled']),
  sealedAt: NullableTime,
  settledAt: Type.Union([Time, Type.Null()], { description: 'When its last bill was issued' }),
  lagSeconds: Type.Union([Type.Number(), Type.Null()], {
    description:
      'From the end of the hour to its last bill; so far, if it has none; null while the hour lasts',
  }),
  late: Type.Boolean({ description: 'Its bills came, or will come, more than an hour after its end' }),
  inDanger: Type.Boolean({ description: 'It ended more than 30 minutes ago, and has no bills' }),
  bills: Type.Union([Type.Integer(), Type.Null()], {
    description:
      'Of all accounts, with those made later of past usage; null without bills, and for a bound key',
  }),
  corrections: Type.Union([Type.Integer(), Type.Null()], {
    description: 'Their lines that correct an older hour',
  }),
  priceVersion: Type.Union([Type.Integer(), Type.Null()]),
  manifests: Type.Union(
    [
      Type.Object({
        announced: Type.Integer({ description: 'Sources that have announced the hour' }),
        missing: Type.Integer({ description: 'Those of which fewer events are stored' }),
        surplus: Type.Integer({ description: 'Those of which more are' }),
        uncounted: Type.Integer({ description: 'Those that are counted when the hour is sealed' }),
      }),
      Type.Null(),
    ],
    { description: 'As it was counted last; null for a bound key' },
  ),
})

export const getCycles = route({
  method: 'GET',
  url: '/v1/cycles',
  access: { scope: 'usage:read', boundKeys: 'own' },
  summary: 'The hours since the first start, newest first: which are sealed, and which have their bills',
  query: Type.Object({
    from: optionalTime('Only hours that start at this time or later'),
    to: optionalTime('Only hours that start before this time'),
    ...PageParameters,
  }),
  answers: { 200: pageOf(CycleView) },
  async handle({ query, key }, { reading, graceMs }) {
    const { from, to } = readHourRange(query)
    const position = readCursor('cycles', ['int'], query.cursor)
    const before = position ? (Math.min(position[0], to) as Hour) : to
    const page = await listCycles(reading, { from, to: before, limit: query.limit ?? PAGE })
    return {
      items: page.items.map((cycle) => cycleView(cycle, graceMs, key?.account !== undefined)),
      next: writeCursor('cycles', page.next === null ? null : [page.next]),
    }
  },
})

/** How many bills others have is nothing that a key of one account sees. */
function cycleView(cycle: Cycle, graceMs: number, isBound: boolean) {
  const { hour, state, priceVersion, sealedAt, settledAt, lagMs } = cycle
  return {
    cycle: { from: formatHourStart(hour), to: formatHourStart(next(hour)) },
    endedAt: lagMs === null ? null : formatHourStart(next(hour)),
    sealingDueAt: formatInstant((endOf(hour) + graceMs) as Instant),
    state,
    sealedAt: sealedAt === null ? null : formatInstant(sealedAt),
    settledAt: settledAt === null ? null : formatInstant(settledAt),
    lagSeconds: lagMs === null ? null : lagMs / 1000,
    late: cycle.isLate,
    inDanger: cycle.isInDanger,
    bills: isBound ? null : cycle.bills,
    corrections: isBound ? null : cycle.corrections,
    priceVersion,
    manifests: isBound ? null : cycle.manifests,
  }
}
