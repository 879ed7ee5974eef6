import Type, { type Static } from 'typebox'
import { countOf } from '../../core/present/readable-text.ts'
import { type Hour, hourOf, MILLISECONDS_PER_HOUR } from '../../core/time/hour.ts'
import { type Health, readHealth } from '../../flows/read/read-health.ts'
import { aheadText, alarmText, delayText } from '../../flows/settle/clock-words.ts'
import { asideText } from '../../flows/settle/say-aside.ts'
import { FREE_BYTES_MIN, freeBytes } from '../../flows/read/free-space.ts'
import { isUnavailable, troubleOf } from '../../store/trouble.ts'
import { findWriteTrouble } from '../../store/writable.ts'
import { bytesHeld } from '../body/held-bytes.ts'
import { METRICS_TYPE, type Reading } from '../metrics.ts'
import { type HttpContext, route } from '../route.ts'

/** Sealing an hour is due at its end plus the grace; being this much later than that is behind. */
export const SEALING_LATE_MS = 5 * 60_000

/** So many accounts that are set aside are named in one line. */
const NAMED = 3

/** A probe asks again soon, so a slow answer is no answer. */
const PROBE_MS = 3_000

export const getHealth = route({
  method: 'GET',
  url: '/healthz',
  access: 'open',
  tag: 'Operation',
  summary: 'Does the process answer?',
  description: 'Answers 200 while the process answers at all. For a liveness probe.',
  answers: { 200: Type.Object({ status: Type.Literal('ok') }) },
  handle: () => ({ status: 'ok' as const }),
})

const Readiness = Type.Object({
  ready: Type.Boolean({ description: 'Can it take usage?' }),
  sealing: Type.Enum(['running', 'behind', 'delayed', 'stopped', 'unknown'], {
    description:
      'Are hours sealed? `delayed`: not yet, because nobody has seen the database clock for a while. `stopped`: a clock alarm is open. Usage is taken all the same',
  }),
  /** What is not as it should be. */
  reasons: Type.Array(Type.String()),
})
type Readiness = Static<typeof Readiness>

export const getReadiness = route({
  method: 'GET',
  url: '/readyz',
  access: 'open',
  tag: 'Operation',
  summary: 'Can it take usage, and are hours sealed in time?',
  description:
    'Answers 200 when the database answers and hours are sealed in time, else 503. `reasons` says what is not as it should be. For a readiness probe.',
  answers: { 200: Readiness, 503: Readiness },
  async handle({ reply }, context) {
    const readiness = await readReadiness(context)
    void reply.code(readiness.ready ? 200 : 503)
    return readiness
  },
})

async function readReadiness(context: HttpContext): Promise<Readiness> {
  const { writing, dataDir } = context
  // It may be why the database does not answer.
  const space = await spaceWarning(dataDir)
  try {
    const seen = await withinTime(Promise.all([healthOf(context), findWriteTrouble(writing)]))
    if (seen === undefined)
      return unready('unknown', `The database has not answered for ${PROBE_MS / 1000} s.`, space)
    const [health, trouble] = seen
    const readiness = readinessOf(health)
    const reasons = [...(trouble ? [trouble.advice] : []), ...readiness.reasons, ...space]
    return { ...readiness, ready: readiness.ready && trouble === undefined, reasons }
  } catch (error) {
    const trouble = troubleOf(error)
    if (trouble === undefined) throw error
    return unready(
      'unknown',
      isUnavailable(error) ? 'The database cannot be reached.' : trouble.advice,
      space,
    )
  }
}

/** Time to act: the process is ready until writing fails. */
async function spaceWarning(dataDir: string | undefined): Promise<readonly string[]> {
  const free = dataDir === undefined ? undefined : await freeBytes(dataDir)
  if (free === undefined || free >= FREE_BYTES_MIN) return []
  const mib = Math.floor(free / 1024 / 1024)
  return [`The disk of the data directory has ${mib} MiB left: free or add space before writing fails.`]
}

/** A clock alarm is for people: a balancer that took the process away for it would stop ingest, too. */
function readinessOf(health: Health): Readiness {
  const { alarm, delay, sealingBehindMs, silentSources } = health
  const warnings = [
    ...sealedAhead(health),
    ...setAside(health),
    ...silence(silentSources),
    ...logTrouble(health),
  ]
  if (alarm) return { ready: true, sealing: 'stopped', reasons: [alarmText(alarm), ...warnings] }
  if (delay) return { ready: true, sealing: 'delayed', reasons: [delayText(delay), ...warnings] }
  if (sealingBehindMs <= SEALING_LATE_MS) return { ready: true, sealing: 'running', reasons: warnings }
  const late = `Sealing is ${countOf(Math.floor(sealingBehindMs / 60_000), 'minute')} behind.`
  return { ready: false, sealing: 'behind', reasons: [late, ...warnings] }
}

/** One customer's trouble is not that of the process. */
function setAside({ aside, someAside }: Health): string[] {
  if (someAside.length === 0) return []
  const count = aside.accounts + aside.buckets
  const named = someAside.slice(0, NAMED).map(asideText).join('; ')
  const more = count > NAMED ? `; and ${count - NAMED} more` : ''
  return [
    `Set aside by settlement: ${named}${more}. Repair it: it catches up by itself, or by farthing settle.`,
  ]
}

/** The clock was ahead, and has been set back. */
function sealedAhead({ sealedAheadMs, watermarks }: Health): string[] {
  return sealedAheadMs === 0 ? [] : [aheadText(watermarks.sealedUntil, watermarks.now)]
}

/** Bills are made all the same. */
function logTrouble({ log: { trouble } }: Health): string[] {
  return trouble === undefined ? [] : [trouble]
}

/** The process is as it should be, and what it meters may not: for people, like a clock alarm. */
function silence(sources: number): string[] {
  if (sources === 0) return []
  const who =
    sources === 1 ? 'A source that usually reports is' : `${sources} sources that usually report are`
  return [`${who} silent: see farthing sources silent.`]
}

function unready(sealing: Readiness['sealing'], reason: string, more: readonly string[]): Readiness {
  return { ready: false, sealing, reasons: [reason, ...more] }
}

/** Requests that come while it is read share it: anyone may ask, and it costs the same once. */
const reads = new WeakMap<HttpContext, Promise<Health>>()

function healthOf(context: HttpContext): Promise<Health> {
  const read =
    reads.get(context) ??
    readHealth(context.probes, context.graceMs, context.identity).finally(() => reads.delete(context))
  reads.set(context, read)
  return read
}

function withinTime<T>(work: Promise<T>): Promise<T | undefined> {
  const late = new Promise<undefined>((resolve) => setTimeout(resolve, PROBE_MS, undefined).unref())
  return Promise.race([work, late])
}

export const getMetrics = route({
  method: 'GET',
  url: '/metrics',
  access: { scope: 'usage:read', boundKeys: 'none' },
  isProbe: true,
  tag: 'Operation',
  summary: 'Counters and gauges in the text format of Prometheus',
  description: 'Gives the metrics of this process, over all accounts, for Prometheus.',
  answers: { 200: Type.String() },
  async handle({ reply }, context) {
    const { writing, dataDir } = context
    const health = await healthOf(context)
    const free = dataDir === undefined ? undefined : await freeBytes(dataDir)
    const disk =
      free === undefined
        ? []
        : [{ name: 'farthing_disk_free_bytes', help: 'Free bytes of the data directory', value: free }]
    const fails = Number((await findWriteTrouble(writing)) !== undefined)
    const writes = { name: 'farthing_writes_failing', help: '1: the database takes no writes', value: fails }
    const gauges = [...gaugesOf(health), ...disk, writes]
    return reply.type(METRICS_TYPE).send(await context.metrics.write(gauges))
  },
})

export const getOpenapi = route({
  method: 'GET',
  url: '/openapi.json',
  access: 'open',
  tag: 'Operation',
  summary: 'This API, as OpenAPI 3.1',
  description: 'Describes every operation of this server.',
  answers: { 200: Type.Object({}, { additionalProperties: true }) },
  handle: ({ request }) => request.server.description,
})

type Gauge = readonly [name: string, help: string, ...values: readonly number[]]

function logGauges({ log: { tree, pending, signed, newest, ageMs, trouble } }: Health): readonly Gauge[] {
  const age = ageMs === undefined ? [] : [ageMs / 1000]
  return [
    ['farthing_log_entries', 'Entries of the transparency log', tree?.size ?? 0],
    ['farthing_log_pending', 'Issued, and not in the log yet', pending],
    ['farthing_log_checkpoint_age_seconds', 'Since the newest checkpoint of the log', ...age],
    ['farthing_log_signed_entries', 'Entries that a signed checkpoint covers', signed?.size ?? 0],
    ['farthing_log_checkpoint_entries', 'Entries that a checkpoint covers, signed or not', newest?.size ?? 0],
    [
      'farthing_log_not_signed',
      '1: this process does not sign the log: see /readyz',
      Number(trouble !== undefined),
    ],
  ]
}

function gaugesOf(health: Health): readonly Reading[] {
  const { watermarks, alarm, delay, sealedAheadMs, newestLagMs } = health
  const { now, sealedUntil, settledUntil } = watermarks
  const age = (hour: Hour) => (now - hour * MILLISECONDS_PER_HOUR) / 1000
  const gainMs = alarm ? alarm.at - alarm.acceptedAt : 0
  const asideCount = health.aside.accounts + health.aside.buckets
  const lag = newestLagMs === undefined ? [] : [newestLagMs / 1000]
  const gauges: readonly Gauge[] = [
    ['farthing_sealed_age_seconds', 'Since the start of the first hour that is not sealed', age(sealedUntil)],
    ['farthing_settled_age_seconds', 'Since the start of the first hour without bills', age(settledUntil)],
    [
      'farthing_hours_without_bills',
      'Hours that have ended and have no bills yet',
      hourOf(now) - settledUntil,
    ],
    [
      'farthing_oldest_unsettled_hour_age_seconds',
      'Since the end of the oldest hour that has ended and has no bills; 0 if there is none',
      health.unsettledMs / 1000,
    ],
    ['farthing_hours_due', 'Hours past their grace that have no bills yet', health.hoursDue],
    ['farthing_hour_in_danger', '1: an hour without bills ended 30 minutes ago', Number(health.isInDanger)],
    ['farthing_cycle_lag_seconds', 'Of the newest hour with bills, from its end to its last bill', ...lag],
    ['farthing_sealing_stopped', '1: nothing is sealed, a clock alarm is open', alarm ? 1 : 0],
    ['farthing_sealing_delayed', '1: live hours wait, nobody has seen the clock for a while', delay ? 1 : 0],
    [
      'farthing_sealed_ahead_seconds',
      'From the database clock to the end of the hours that are sealed; 0 if it was never ahead',
      sealedAheadMs / 1000,
    ],
    [
      'farthing_clock_gain_seconds',
      'By how much the database clock is ahead, by the open alarm',
      gainMs / 1000,
    ],
    ['farthing_set_aside', 'Accounts and buckets that settlement has set aside', asideCount],
    ['farthing_silent_sources', 'Sources that usually report, and have sent nothing', health.silentSources],
    ...logGauges(health),
    ['farthing_body_bytes_held', 'Bytes of request bodies in memory', bytesHeld()],
  ]
  return [
    ...gauges.flatMap(([name, help, ...values]) => values.map((value) => ({ name, help, value }))),
    ...health.someAside.map(({ account, bucket, hour }) => ({
      name: 'farthing_set_aside_hours',
      help: 'Hours that an account or bucket lacks which settlement has set aside; at most 20 are named',
      value: Math.max(sealedUntil - hour, 0),
      labels: { account, bucket: String(bucket) },
    })),
  ]
}
