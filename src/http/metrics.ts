import type { Outcome } from '../flows/ingest/ingest-types.ts'

/** Upper bounds of the duration histogram, in seconds. */
const BUCKETS = [0.005, 0.02, 0.1, 0.5, 2, 10]

/** By labels, one within the other: a text of them all would be made and looked up for each request. */
type Counts<Inner> = Map<string, Inner>

/** Since the process started. */
const events: Record<Outcome, number> = { accepted: 0, duplicate: 0, conflict: 0, held: 0, rejected: 0 }
const requests: Counts<Counts<Map<number, number>>> = new Map()
const durations = { counts: BUCKETS.map(() => 0), sum: 0, count: 0 }

export function countOutcomes(counts: Readonly<Record<Outcome, number>>): void {
  for (const outcome in counts) events[outcome as Outcome] += counts[outcome as Outcome]
}

/** @param url the route, not the address, so that there are few */
export function countRequest(method: string, url: string, status: number, seconds: number): void {
  const statuses = within(within(requests, url), method)
  statuses.set(status, (statuses.get(status) ?? 0) + 1)
  durations.sum += seconds
  durations.count++
  for (let index = 0; index < BUCKETS.length; index++)
    if (seconds <= BUCKETS[index]!) durations.counts[index]!++
}

function within<Inner extends Map<unknown, unknown>>(counts: Counts<Inner>, label: string): Inner {
  let inner = counts.get(label)
  if (inner === undefined) counts.set(label, (inner = new Map() as Inner))
  return inner
}

export interface Gauge {
  readonly name: string
  readonly help: string
  readonly value: number
}

/** Everything that was counted, and the gauges, in the text format of Prometheus (version 0.0.4). */
export function writeMetrics(gauges: readonly Gauge[]): string {
  const outcomes = Object.entries(events).map(
    ([outcome, number]) => `farthing_events_total{outcome="${outcome}"} ${number}`,
  )
  const answered = [...requests].flatMap(([route, methods]) =>
    [...methods].flatMap(([method, statuses]) =>
      [...statuses].map(([status, number]) => {
        const labels = `method="${method}",route="${route}",status="${status}"`
        return `farthing_http_requests_total{${labels}} ${number}`
      }),
    ),
  )
  const seconds = BUCKETS.map(
    (bound, index) => `farthing_http_seconds_bucket{le="${bound}"} ${durations.counts[index]}`,
  )
  return [
    ...family('farthing_events_total', 'counter', 'Events by what became of them', outcomes),
    ...family('farthing_http_requests_total', 'counter', 'Requests answered', answered),
    ...family('farthing_http_seconds', 'histogram', 'Time until a request was answered', [
      ...seconds,
      `farthing_http_seconds_bucket{le="+Inf"} ${durations.count}`,
      `farthing_http_seconds_sum ${durations.sum}`,
      `farthing_http_seconds_count ${durations.count}`,
    ]),
    ...gauges.flatMap(({ name, help, value }) => family(name, 'gauge', help, [`${name} ${value}`])),
    '',
  ].join('\n')
}

function family(name: string, type: string, help: string, samples: readonly string[]): readonly string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples]
}
