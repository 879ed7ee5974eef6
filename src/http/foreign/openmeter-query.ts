import Type, { type Static } from 'typebox'
import { formatHourStart } from '../../core/time/hour.ts'
import { formatInstant, type Instant } from '../../core/time/instant.ts'
import type { Key } from '../../flows/keys/key-scopes.ts'
import { type AskMeter, type MeterRow, readMeter } from '../../flows/read/read-meter.ts'
import { accountOf } from '../access.ts'
import { optionalTime, parameter, readHourRange, requireShort, TimeParameter } from '../parameters.ts'
import { HttpProblem } from '../problem.ts'
import { route } from '../route.ts'
import { RANGE_HOURS_MAX, RANGE_TEXTS } from '../routes/usage.ts'
import { Nullable, Text, Time } from '../views.ts'
import { answerOpenmeterProblem } from './openmeter-problem.ts'

/** Accounts of one question: each is read by itself. */
export const METER_SUBJECTS_MAX = 100

const WINDOWS = { HOUR: 'hour', DAY: 'day', MONTH: 'month' } as const
const GROUPS = ['operation', 'project', 'region'] as const

const WindowSize = Type.Enum(['HOUR', 'DAY', 'MONTH'])

const Query = Type.Object({
  from: { ...TimeParameter, description: 'Hours that start at this time or later' },
  to: optionalTime('Hours that start before this time; left out: until now'),
  windowSize: Type.Optional(
    parameter(
      WindowSize,
      'usage is kept by the hour, so send HOUR, DAY or MONTH, or leave it out for one sum',
    ),
  ),
  windowTimeZone: Type.Optional(
    parameter(Type.Enum(['UTC']), 'usage is kept by the hour of UTC, so send UTC, or leave it out'),
  ),
  subject: Type.Optional(
    parameter(
      Type.Array(Type.String({ minLength: 1 }), {
        minItems: 1,
        maxItems: METER_SUBJECTS_MAX,
        description: 'Whose usage: accounts, each as a parameter. Left out with a key that is bound to one',
      }),
      `send 1 to ${METER_SUBJECTS_MAX} accounts, each as subject=`,
    ),
  ),
  groupBy: Type.Optional(
    parameter(
      Type.Array(Type.Enum(['subject', ...GROUPS]), { description: 'Each as a parameter' }),
      `send some of subject, ${GROUPS.join(', ')}, each as groupBy=`,
    ),
  ),
})

const Row = Type.Object({
  value: Type.Number({ description: 'The billed quantity, with all its digits' }),
  windowStart: Time,
  windowEnd: Time,
  subject: Text,
  groupBy: Type.Object({}, { additionalProperties: Nullable }),
})

/** What an account has used of an item, for clients of OpenMeter. */
export const getMeterQuery = route({
  method: 'GET',
  url: '/api/v1/meters/:slug/query',
  access: { scope: 'usage:read', boundKeys: 'own' },
  summary: 'What accounts have used of an item, as an OpenMeter client asks',
  params: Type.Object({ slug: Type.String({ description: 'An item of the price book, or item.rate' }) }),
  query: Query,
  answers: {
    200: Type.Object({
      from: Time,
      to: Time,
      windowSize: Type.Optional(WindowSize),
      data: Type.Array(Row),
    }),
  },
  answerProblem: answerOpenmeterProblem,
  async handle({ params, query, key, reply }, { reading, now }) {
    const ask = readAsk(params.slug, query, key, now())
    const read = await readMeter(reading, ask)
    if (!read.ok) throw new HttpProblem(read.code, read.detail)
    const { windowSize } = query
    const head = { from: formatHourStart(ask.from), to: formatHourStart(ask.to), windowSize }
    const rows = read.rows.map((row) => rowText(row, ask))
    const text = `${JSON.stringify(head).slice(0, -1)},"data":[${rows.join(',')}]}`
    return reply.header('content-type', 'application/json; charset=utf-8').send(text)
  },
})

function readAsk(slug: string, query: Static<typeof Query>, key: Key | undefined, now: Instant): AskMeter {
  const { windowSize, groupBy = [] } = query
  const until = formatInstant(now)
  const range = readHourRange({ from: query.from, to: query.to ?? until })
  const window = windowSize && WINDOWS[windowSize]
  requireShort(range, RANGE_HOURS_MAX[window ?? 'month'], RANGE_TEXTS[window ?? 'month'])
  const groups = GROUPS.filter((group) => groupBy.includes(group))
  return { slug, accounts: readSubjects(query.subject, key), ...range, window, groupBy: groups }
}

/** Each once. */
function readSubjects(named: readonly string[] | undefined, key: Key | undefined): readonly string[] {
  const subjects = (named ?? [undefined]).map((subject) => accountOf(key, subject, 'subject'))
  const accounts = subjects.filter((account) => account !== undefined)
  if (accounts.length > 0) return [...new Set(accounts)]
  throw new HttpProblem('request/missing_parameter', 'The parameter subject is missing: say whose usage.')
}

/** As text, since a quantity keeps its digits only where it passes through no JavaScript number. */
function rowText(row: MeterRow, { groupBy }: AskMeter): string {
  const groups = groupBy.map((group) => [group, row[group] === '' ? null : row[group]] as const)
  const rest = JSON.stringify({
    windowStart: formatHourStart(row.from),
    windowEnd: formatHourStart(row.to),
    subject: row.account,
    groupBy: Object.fromEntries(groups),
  })
  return `{"value":${row.quantity},${rest.slice(1)}`
}
