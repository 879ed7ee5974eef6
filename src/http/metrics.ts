import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import { groupBy } from '../core/group-by.ts'
import type { Outcome } from '../flows/ingest/ingest-types.ts'

/** Upper bounds of the duration histogram, in seconds. */
const BUCKETS = [0.005, 0.02, 0.1, 0.5, 2, 10]

const OUTCOMES: readonly Outcome[] = ['accepted', 'duplicate', 'conflict', 'held', 'rejected']

export interface AnsweredRequest {
  readonly method: string
  /** The route, not the address, so that there are few. */
  readonly route: string
  readonly status: number
  readonly seconds: number
}

/** What is only known when it is asked for. */
export interface Reading {
  readonly name: string
  readonly help: string
  readonly value: number
  /** Of one of several samples; those of a name stand together. */
  readonly labels?: Readonly<Record<string, string>>
}

/** What a server counts, since it was made. */
export interface Metrics {
  countOutcomes(counts: Readonly<Record<Outcome, number>>): void
  countRequest(request: AnsweredRequest): void
  /** All that was counted, the process, its event loop, and the readings, in the text format of Prometheus. */
  write(readings: readonly Reading[]): Promise<string>
}

export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE

/** Each server has its own: two in one process count apart. */
export function makeMetrics(): Metrics {
  const counted = new Registry()
  const registers = [counted]
  const events = new Counter({
    name: 'farthing_events_total',
    help: 'Events by what became of them',
    labelNames: ['outcome'],
    registers,
  })
  // A rate has a beginning only where a counter is there before it counts.
  for (const outcome of OUTCOMES) events.inc({ outcome }, 0)
  const requests = new Counter({
    name: 'farthing_http_requests_total',
    help: 'Requests answered',
    labelNames: ['method', 'route', 'status'],
    registers,
  })
  const durations = new Histogram({
    name: 'farthing_http_seconds',
    help: 'Time until a request was answered',
    buckets: BUCKETS,
    registers,
  })
  collectDefaultMetrics({ register: counted })
  return {
    countOutcomes(counts) {
      for (const outcome of OUTCOMES) if (counts[outcome] > 0) events.inc({ outcome }, counts[outcome])
    },
    countRequest({ method, route, status, seconds }) {
      requests.inc({ method, route, status })
      durations.observe(seconds)
    },
    write: async (readings) => (await counted.metrics()) + (await read(readings)),
  }
}

/** A registry for this once, so that a reading that is missing now has no value of before. */
async function read(readings: readonly Reading[]): Promise<string> {
  const registry = new Registry()
  for (const [name, samples] of groupBy(readings, (reading) => reading.name)) {
    const { help, labels = {} } = samples[0]!
    const gauge = new Gauge({ name, help, labelNames: Object.keys(labels), registers: [registry] })
    for (const sample of samples) gauge.set(sample.labels ?? {}, sample.value)
  }
  return `\n${await registry.metrics()}`
}
