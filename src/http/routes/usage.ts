import { formatHourStart, type Hour } from '../../core/time/hour.ts'
import { formatInstant } from '../../core/time/instant.ts'
import {
  type AskUsage,
  listUsage,
  USAGE_GROUPS,
  type UsageGroup,
  type UsageKey,
  type UsageRow,
} from '../../flows/read/read-usage.ts'
import { windowEnd } from '../../flows/read/usage-window.ts'
import type { ValueOf } from '../../api/endpoint.ts'
import { PAGE } from '../../api/parameters.ts'
import { GetUsage, UsageQuery } from '../../api/usage.ts'
import { accountOf } from '../access.ts'
import { readCursor, writeCursor } from '../api/cursor.ts'
import { HttpProblem } from '../api/problem.ts'
import { type HourRange, invalidParameter, readHourRange, requireShort } from '../api/parameters.ts'
import { route } from '../route.ts'

/** The longest range by window, in hours: at most some thousand rows of a group. */
export const RANGE_HOURS_MAX = { hour: 31 * 24, day: 366 * 24, month: 3660 * 24 } as const
export const RANGE_TEXTS = {
  hour: '31 days by hour',
  day: '366 days by day',
  month: '10 years by month',
} as const

export const getUsage = route({
  ...GetUsage,
  access: { scope: 'usage:read', boundKeys: 'own' },
  async handle({ query, key }, { reading }) {
    const ask = readAsk(query, accountOf(key, query.account))
    const read = await listUsage(reading, ask)
    if (!read.ok) throw new HttpProblem(read.code, read.detail)
    const { items, next, asOf, currency } = read.usage
    return {
      items: items.map((row) => rowView(row, ask)),
      next: writeCursor('usage', next && positionOf(next)),
      asOf: formatInstant(asOf),
      currency,
    }
  },
})

function readAsk(query: ValueOf<typeof UsageQuery>, account: string | undefined): AskUsage {
  const { window = 'hour', limit = PAGE } = query
  const range = readHourRange(query)
  requireShort(range, RANGE_HOURS_MAX[window], RANGE_TEXTS[window])
  return {
    account,
    ...range,
    window,
    groupBy: readGroups(query.groupBy),
    only: undefined,
    after: readAfter(query.cursor),
    limit,
  }
}

/** In the order of the schema, whatever theirs is. */
function readGroups(text: string | undefined): readonly UsageGroup[] {
  if (text === undefined || text === '') return []
  const names = text.split(',').map((name) => name.trim())
  const unknown = names.find((name) => !(USAGE_GROUPS as readonly string[]).includes(name))
  if (unknown === undefined) return USAGE_GROUPS.filter((group) => names.includes(group))
  throw invalidParameter('groupBy', text, `send some of ${USAGE_GROUPS.join(', ')}, with commas between them`)
}

function readAfter(cursor: string | undefined): UsageKey | undefined {
  const position = readCursor(
    'usage',
    ['hour', 'text', 'text', 'text', 'text', 'text', 'text', 'text'],
    cursor,
  )
  if (!position) return undefined
  const [window, account, component, item, operation, project, region, unit] = position
  return { window, account, component, item, operation, project, region, unit }
}

function positionOf({ window, account, component, item, operation, project, region, unit }: UsageKey) {
  return [window, account, component, item, operation, project, region, unit]
}

/** `from` and `to` are those of the window within the range that was asked for. */
function rowView(row: UsageRow, { window, groupBy, from, to }: AskUsage & HourRange) {
  const groups = groupBy.map((group) => [group, row[group] === '' ? null : row[group]] as const)
  return {
    from: formatHourStart(Math.max(row.window, from) as Hour),
    to: formatHourStart(Math.min(windowEnd(row.window, window), to) as Hour),
    ...Object.fromEntries(groups),
    quantity: row.quantity,
    unit: row.unit,
    waived: row.waived,
    amount: row.amount,
  }
}
