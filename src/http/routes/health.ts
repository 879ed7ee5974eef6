import Type from 'typebox'
import { endOf, hourOf, MILLISECONDS_PER_HOUR } from '../../core/time/hour.ts'
import { findMarks } from '../../flows/start/read-deployment.ts'
import type { Marks } from '../../store/queries/read-marks.ts'
import { isUnavailable } from '../../store/unavailable.ts'
import { bytesHeld } from '../events/held-bytes.ts'
import { writeMetrics } from '../metrics.ts'
import { type HttpContext, route } from '../route.ts'

/** Sealing an hour is due at its end plus the grace; being this much later than that is behind. */
export const SEALING_LATE_MS = 5 * 60_000

/** A probe asks again soon, so a slow answer is no answer. */
const PROBE_MS = 3_000

export const getHealth = route({
  method: 'GET',
  url: '/healthz',
  access: 'open',
  summary: 'Does the process answer?',
  answers: { 200: Type.Object({ status: Type.Literal('ok') }) },
  handle: () => ({ status: 'ok' }),
})

const Readiness = Type.Object({
  ready: Type.Boolean(),
  /** What is not as it should be. */
  reasons: Type.Array(Type.String()),
})

export const getReadiness = route({
  method: 'GET',
  url: '/readyz',
  access: 'open',
  summary: 'Can it take usage, and are hours sealed in time?',
  answers: { 200: Readiness, 503: Readiness },
  async handle({ reply }, context) {
    const reasons = await reasonsAgainst(context)
    return reply.code(reasons.length === 0 ? 200 : 503).send({ ready: reasons.length === 0, reasons })
  },
})

async function reasonsAgainst({ reading, graceMs }: HttpContext): Promise<readonly string[]> {
  try {
    const marks = await withinTime(findMarks(reading))
    if (marks === undefined) return [`The database has not answered for ${PROBE_MS / 1000} s.`]
    const behind = sealingBehindMs(marks, graceMs)
    return behind > SEALING_LATE_MS ? [`Sealing is ${Math.floor(behind / 60_000)} minutes behind.`] : []
  } catch (error) {
    if (!isUnavailable(error)) throw error
    return ['The database cannot be reached.']
  }
}

function withinTime<T>(work: Promise<T>): Promise<T | undefined> {
  const late = new Promise<undefined>((resolve) => setTimeout(resolve, PROBE_MS, undefined).unref())
  return Promise.race([work, late])
}

/** For how long sealing the first open hour has been due; 0 when it is not. */
function sealingBehindMs({ now, sealedUntil }: Marks, graceMs: number): number {
  return Math.max(now - endOf(sealedUntil) - graceMs, 0)
}

export const getMetrics = route({
  method: 'GET',
  url: '/metrics',
  access: { scope: 'usage:read', boundKeys: 'none' },
  summary: 'Counters and gauges in the text format of Prometheus',
  answers: { 200: Type.String() },
  async handle({ reply }, { reading }) {
    const marks = await findMarks(reading)
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(writeMetrics(gauges(marks)))
  },
})

export const getOpenapi = route({
  method: 'GET',
  url: '/openapi.json',
  access: 'open',
  summary: 'This API, as OpenAPI 3.1',
  answers: { 200: Type.Object({}, { additionalProperties: true }) },
  handle: ({ request }) => request.server.swagger(),
})

function gauges({ now, sealedUntil, settledUntil }: Marks) {
  const age = (hour: Marks['sealedUntil']) => (now - hour * MILLISECONDS_PER_HOUR) / 1000
  const sealed = 'Seconds since the start of the first hour that is not sealed'
  const settled = 'Seconds since the start of the first hour without bills'
  const open = hourOf(now) - settledUntil
  return [
    { name: 'farthing_sealed_age_seconds', help: sealed, value: age(sealedUntil) },
    { name: 'farthing_settled_age_seconds', help: settled, value: age(settledUntil) },
    {
      name: 'farthing_hours_without_bills',
      help: 'Hours that have ended and have no bills yet',
      value: open,
    },
    { name: 'farthing_body_bytes_held', help: 'Bytes of request bodies in memory', value: bytesHeld() },
    {
      name: 'process_resident_memory_bytes',
      help: 'Memory of the process',
      value: process.memoryUsage.rss(),
    },
  ]
}
