import type { Account } from './accounts.ts'
import { callsOf } from './businesses.ts'
import { type AsyncOperator, type Operation, operationNamed, UNKNOWN_OPERATION } from './operations.ts'
import type { Outbox } from './outbox.ts'
import { type Random, skewed, skewedBelow, taskName, uuid } from './random.ts'
import { type Place, processingLine, requestLine } from './wire.ts'

/**
 * How often things happen that are not the rule. Each is a share of what its comment says.
 * The unknown operation is two events a call, so that 0.1 % of the events come from it.
 */
export const SHARES = {
  /** of requests: bad parameters, no permission, not found, too many. Billed. */
  clientErrors: 0.03,
  /** of requests: our fault. Not billed. */
  serverErrors: 0.005,
  /** of deliveries: made again although the first had arrived, with the very same bytes. */
  retried: 0.01,
  /** of deliveries: minutes late. */
  slow: 0.02,
  /** of deliveries: an hour or so late. */
  late: 0.001,
  /** of tasks: end without a result. */
  failedTasks: 0.04,
  /** of the queries of accounts with a gateway: reported as one event with a count. */
  aggregated: 0.05,
  /** of calls */
  unknown: 0.0007,
} as const

/** A stretch of time that is being filled with events. */
export interface Span {
  readonly random: Random
  readonly outbox: Outbox
  /** No event is before `fromMs`, or at or after `toMs`. */
  readonly fromMs: number
  readonly toMs: number
  /** Events that may still be made; never below 0. */
  room: number
}

const FALLBACK = operationNamed('SimpleQuery')
const CLIENT_ERRORS = [404, 400, 403, 429]
const SERVER_ERRORS = [500, 503]

/** An account calls the API once, answered at `atMs`: one event or two, and perhaps copies of them. */
export function makeCall(span: Span, account: Account, atMs: number): void {
  const { random } = span
  const operation = pickOperation(span, account)
  const place = pickPlace(account, random)
  const resource = operation.file === undefined ? undefined : pickFile(account, operation.file, random)
  switch (operation.kind) {
    case 'query':
      return makeQuery(span, account, place, operation.name, resource, atMs)
    case 'sync':
      return makeSyncCall(span, place, operation.name, resource, atMs)
    case 'async':
      return makeAsyncCall(span, place, operation, resource, atMs)
  }
}

/** Send an event, perhaps twice. Its caller has taken its room; a copy takes room if there is some. */
export function deliver(span: Span, atMs: number, line: string): void {
  const { random, outbox } = span
  const arrivesMs = atMs + delayMs(random)
  outbox.put(arrivesMs, line)
  if (span.room === 0 || !random.chance(SHARES.retried)) return
  span.room--
  outbox.put(arrivesMs + 500 + skewedBelow(random, random.chance(0.1) ? 1_200_000 : 30_000), line)
}

function pickOperation(span: Span, account: Account): Operation {
  if (span.room < 2) return FALLBACK
  if (span.random.chance(SHARES.unknown)) return UNKNOWN_OPERATION
  const calls = callsOf(account.business)
  return calls[span.random.below(calls.length)]!
}

function pickPlace(account: Account, random: Random): Place {
  const region = account.regions.length === 0 ? undefined : skewed(random, account.regions)
  const project = account.projects.length === 0 ? undefined : skewed(random, account.projects)
  return { account: account.name, source: `//media-api.example.com/${region ?? 'global'}`, project, region }
}

/** Some files are asked for again and again: every time is a request of its own. */
function pickFile(account: Account, ending: string, random: Random): string {
  return `oss://${account.name}/2025/${1000 + skewedBelow(random, 9000)}.${ending}`
}

function pickStatus(random: Random): number {
  const unit = random.unit()
  if (unit < SHARES.serverErrors) return skewed(random, SERVER_ERRORS)
  return unit < SHARES.serverErrors + SHARES.clientErrors ? skewed(random, CLIENT_ERRORS) : 200
}

function makeQuery(
  span: Span,
  account: Account,
  place: Place,
  operation: string,
  resource: string | undefined,
  atMs: number,
): void {
  const { random } = span
  span.room--
  const status = pickStatus(random)
  if (account.aggregates && random.chance(SHARES.aggregated)) {
    const gateway = { ...place, source: `//gateway.example.com/${account.name}` }
    const count = 2 + skewedBelow(random, 300)
    return deliver(span, atMs, requestLine(uuid(random), atMs, gateway, { operation, status, count }))
  }
  deliver(span, atMs, requestLine(uuid(random), atMs, place, { operation, status, resource }))
}

/** The answer is sent some milliseconds after processing was completed. */
function makeSyncCall(
  span: Span,
  place: Place,
  operation: string,
  resource: string | undefined,
  atMs: number,
): void {
  const { random } = span
  const status = pickStatus(random)
  const refused = status >= 400 && status < 500
  span.room -= refused ? 1 : 2
  deliver(span, atMs, requestLine(uuid(random), atMs, place, { operation, status, resource }))
  if (refused) return
  const result = status === 200 ? { quantities: '{"call":1}' } : { outcome: 'failed' as const }
  const processedMs = Math.max(span.fromMs, atMs - 1 - random.below(5))
  const line = processingLine(uuid(random), processedMs, place, { operation, resource, ...result })
  deliver(span, processedMs, line)
}

/** A task that would outlast the span, or whose price is not known when it ends, is not started. */
function makeAsyncCall(
  span: Span,
  place: Place,
  operator: AsyncOperator,
  resource: string | undefined,
  atMs: number,
): void {
  const { random } = span
  const endedMs = atMs + 1_000 + skewedBelow(random, operator.longestMs)
  const impossible = endedMs >= span.toMs || endedMs < (operator.pricedFromMs ?? 0)
  const operation = impossible ? FALLBACK.name : operator.name
  const status = pickStatus(random)
  const task = !impossible && status === 200 ? taskName(random) : undefined
  span.room -= task === undefined ? 1 : 2
  deliver(span, atMs, requestLine(uuid(random), atMs, place, { operation, status, task, resource }))
  if (task === undefined) return
  const failed = random.chance(SHARES.failedTasks)
  const outcome = failed ? 'failed' : 'succeeded'
  // Half of the failed tasks report how far they came.
  const quantities = failed && random.chance(0.5) ? undefined : operator.quantities(random)
  const data = { operation, task, outcome, quantities, resource } as const
  deliver(span, endedMs, processingLine(uuid(random), endedMs, place, data))
}

/** From the event to its arrival: mostly under a second, sometimes minutes, rarely more than an hour. */
function delayMs(random: Random): number {
  const unit = random.unit()
  if (unit < SHARES.late) return 1_800_000 + random.below(3_600_000)
  if (unit < SHARES.late + SHARES.slow) return 5_000 + skewedBelow(random, 300_000)
  return 20 + skewedBelow(random, 2_000)
}
