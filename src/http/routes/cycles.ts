import { endOf, formatHourStart, type Hour, next } from '../../core/time/hour.ts'
import { formatInstant, type Instant } from '../../core/time/instant.ts'
import { type Cycle, listCycles } from '../../flows/read/read-cycles.ts'
import { GetCycles } from '../../api/cycles.ts'
import { PAGE } from '../../api/parameters.ts'
import { readCursor, writeCursor } from '../api/cursor.ts'
import { readHourRange } from '../api/parameters.ts'
import { route } from '../route.ts'

export const getCycles = route({
  ...GetCycles,
  access: { scope: 'usage:read', boundKeys: 'own' },
  async handle({ query, key }, { reading, graceMs }) {
    const { from, to } = readHourRange(query)
    const position = readCursor('cycles', ['hour'], query.cursor)
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
    sealedAhead: cycle.isSealedAhead,
    bills: isBound ? null : cycle.bills,
    corrections: isBound ? null : cycle.corrections,
    priceVersion,
    manifests: isBound ? null : cycle.manifests,
  }
}
