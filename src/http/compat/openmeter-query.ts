import Type, { type Static } from 'typebox'
import { isObject } from '../../core/ingest/read-usage.ts'
import { formatHourStart, type Hour } from '../../core/time/hour.ts'
import { formatInstant, type Instant } from '../../core/time/instant.ts'
import type { Key } from '../../flows/keys/key-scopes.ts'
import {
  type AskMeter,
  firstUsageHour,
  type MeterRow as UsedOfMeter,
  readMeter,
} from '../../flows/read/read-meter.ts'
import { optionalTime, parameter } from '../../api/parameters.ts'
import { Time } from '../../api/views.ts'
import { accountOf } from '../access.ts'
import { readJsonBody } from '../body/read-json.ts'
import { HttpProblem } from '../api/problem.ts'
import { RANGE_HOURS_MAX, RANGE_TEXTS } from '../api/usage-question.ts'
import { type HourRange, parameterReader, type Raw, readHourRange, requireShort } from '../api/parameters.ts'
import { type HttpContext, type Reply, route } from '../route.ts'
import { MeterRow, WindowSize } from './compat-schemas.ts'
import { answerOpenmeterProblem } from './openmeter-problem.ts'

/** Accounts of one question: each is read by itself. */
export const METER_SUBJECTS_MAX = 100

const WINDOWS = { HOUR: 'hour', DAY: 'day', MONTH: 'month' } as const
const GROUPS = ['operation', 'project', 'region'] as const

const Query = Type.Object({
  from: optionalTime('Hours that start at this time or later; left out: as far back as there is usage'),
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
        description: 'Whose usage: accounts, each by itself. Left out: that of all, or of the one of the key',
      }),
      `send 1 to ${METER_SUBJECTS_MAX} accounts, each as subject=, or leave it out for the sum of all`,
    ),
  ),
  groupBy: Type.Optional(
    parameter(
      Type.Array(Type.Enum(['subject', ...GROUPS]), { description: 'Each as a parameter' }),
      `send some of subject, ${GROUPS.join(', ')}, each as groupBy=`,
    ),
  ),
})

const SPEC = {
  url: '/api/v1/meters/:slug/query',
  access: { scope: 'usage:read', boundKeys: 'own' },
  params: Type.Object({ slug: Type.String({ description: 'An item of the price book, or item.rate' }) }),
  answers: {
    200: Type.Object({
      from: Time,
      to: Time,
      windowSize: Type.Optional(WindowSize),
      data: Type.Array(MeterRow),
    }),
  },
  answerProblem: answerOpenmeterProblem,
} as const

/** What accounts have used of an item, for clients of OpenMeter. */
export const getMeterQuery = route({
  ...SPEC,
  method: 'GET',
  tag: 'Other clients',
  summary: 'What accounts have used of an item, as an OpenMeter client asks',
  description:
    'Adds up the billed quantity of an item. Without `from` it is since the first usage, or the longest range that the windows may have.',
  refusals: [422],
  query: Query,
  handle: ({ params, query, key, reply }, context) =>
    answer({ slug: params.slug, query, key }, reply, context),
})

const readBody = parameterReader(Query)

/** The same question, of any length. */
export const postMeterQuery = route({
  ...SPEC,
  method: 'POST',
  asks: true,
  tag: 'Other clients',
  summary: 'The same, with the parameters as a body',
  description:
    'Asks the same as the GET, with the parameters as members of the body, for questions that are too long for an address.',
  refusals: [422],
  body: { 'application/json': Query },
  handle({ params, body, key, reply }, context) {
    const query = readBody(membersOf(body))
    return answer({ slug: params.slug, query, key }, reply, context)
  },
})

/** Throws 400 for what no parameter can be. */
function membersOf(body: Buffer): Raw {
  const value = readJsonBody(body)
  if (!isObject(value))
    throw new HttpProblem('request/invalid_body', 'The body is no object: send {"from":"…"}.')
  const other = Object.entries(value).find(
    ([name, one]) =>
      Object.hasOwn(Query.properties, name) && ![one].flat().every((item) => typeof item === 'string'),
  )
  if (other === undefined) return value
  const detail = `${other[0]} is neither a text nor a list of texts: send it as in the address of a GET.`
  throw new HttpProblem('request/invalid_body', detail)
}

interface Question {
  readonly slug: string
  readonly query: Static<typeof Query>
  readonly key: Key | undefined
}

async function answer(question: Question, reply: Reply, { reading, now }: HttpContext): Promise<Reply> {
  const ask = readAsk(question, now(), await firstUsageHour(reading))
  const read = await readMeter(reading, ask)
  if (!read.ok) throw new HttpProblem(read.code, read.detail)
  const { windowSize } = question.query
  const head = { from: formatHourStart(ask.from), to: formatHourStart(ask.to), windowSize }
  const rows = read.rows.map((row) => rowText(row, ask))
  const text = `${JSON.stringify(head).slice(0, -1)},"data":[${rows.join(',')}]}`
  return reply.header('content-type', 'application/json; charset=utf-8').send(text)
}

/** @param first the hour from which on there may be usage; undefined: there is none */
function readAsk({ slug, query, key }: Question, now: Instant, first: Hour | undefined): AskMeter {
  const { windowSize, groupBy = [] } = query
  const window = windowSize && WINDOWS[windowSize]
  const range = rangeOf(query, { now, first, hoursMax: RANGE_HOURS_MAX[window ?? 'month'] })
  requireShort(range, RANGE_HOURS_MAX[window ?? 'month'], RANGE_TEXTS[window ?? 'month'])
  const groups = GROUPS.filter((group) => groupBy.includes(group))
  const account = groupBy.includes('subject') ? (['account'] as const) : []
  return {
    slug,
    accounts: readSubjects(query.subject, key),
    ...range,
    window,
    groupBy: [...account, ...groups],
  }
}

interface Bounds {
  readonly now: Instant
  readonly first: Hour | undefined
  readonly hoursMax: number
}

/** Without `from`: from the first usage on, or the longest range that ends with `to`. The answer says which. */
function rangeOf(query: Question['query'], { now, first, hoursMax }: Bounds): HourRange {
  const to = query.to ?? formatInstant(now)
  if (query.from !== undefined) return readHourRange({ from: query.from, to })
  const until = readHourRange({ to }).to
  const from = Math.min(Math.max(first ?? until, until - hoursMax), until) as Hour
  return { from, to: until }
}

/** Each once; undefined for all. */
function readSubjects(
  named: readonly string[] | undefined,
  key: Key | undefined,
): readonly string[] | undefined {
  const subjects = (named ?? [undefined]).map((subject) => accountOf(key, subject, 'subject'))
  const accounts = subjects.filter((account) => account !== undefined)
  return accounts.length > 0 ? [...new Set(accounts)] : undefined
}

/** As text, since a quantity keeps its digits only where it passes through no JavaScript number. */
function rowText(row: UsedOfMeter, { groupBy }: AskMeter): string {
  const groups = GROUPS.filter((group) => groupBy.includes(group))
  const rest = JSON.stringify({
    windowStart: formatHourStart(row.from),
    windowEnd: formatHourStart(row.to),
    subject: row.account ?? null,
    groupBy: Object.fromEntries(groups.map((group) => [group, row[group] === '' ? null : row[group]])),
  })
  return `{"value":${row.quantity},${rest.slice(1)}`
}
