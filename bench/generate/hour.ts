import { hourStartMs, requireInteger } from './bounds.ts'
import { type Random, seededRandom, skewedBelow, uuid } from './random.ts'
import { type Place, processingLine, requestLine } from './wire.ts'

export interface HourOptions {
  readonly seed: number
  /** `YYYY-MM-DDTHH`, a UTC hour: its first instant belongs to it, its end does not. */
  readonly hour: string
  /** How many accounts there are; with fewer than 10 events each, some small ones have none. */
  readonly accounts: number
  /** Lines in all, exactly. */
  readonly events: number
}

const HOUR_MS = 3_600_000
const SOURCES = ['//api.example.com/eu-1', '//api.example.com/us-1', '//api.example.com/ap-1']
const QUERIES = 'SimpleQuery FuzzyQuery SemanticQuery GetFileMeta BatchGetFileMeta IndexFileMeta'.split(' ')
const OPERATORS = (
  'DetectImageFaces DetectImageLabels DetectImageCropping DetectImageCodes ' +
  'DetectImageCars DetectImageBodies CompareImageFaces AddImageMosaic'
).split(' ')

/**
 * An hour of load as lines of NDJSON (without the newline): as many accounts and events as a test asks for, in
 * constant memory and without any state between two events.
 *
 * Every event is valid, new and priced, so anyone who takes them must accept exactly `events`. The n-th of N accounts
 * has about `events * (sqrt(n / N) - sqrt((n - 1) / N))` of them: of 2,000,000 over 200,000 the largest has some
 * 4,300, the median 8, and an account has events for about 8 different bill lines. A line has about 265 bytes.
 */
export function* generateHour(options: HourOptions): Generator<string, void, undefined> {
  const { accounts, events } = options
  requireInteger('accounts', accounts, 1, Number.MAX_SAFE_INTEGER)
  requireInteger('events', events, 0, Number.MAX_SAFE_INTEGER)
  const fromMs = hourStartMs(options.hour)
  const random = seededRandom(options.seed)
  for (let made = 0; made < events; made++) {
    const atMs = fromMs + Math.floor((HOUR_MS * (made + random.unit())) / events)
    yield makeEvent(random, atMs, skewedBelow(random, accounts))
  }
}

function makeEvent(random: Random, atMs: number, account: number): string {
  const place = pickPlace(random, account)
  const id = uuid(random)
  if (random.chance(0.5)) {
    const operation = QUERIES[random.below(QUERIES.length)]!
    return requestLine(id, atMs, place, { operation, status: pickStatus(random) })
  }
  const operation = OPERATORS[random.below(OPERATORS.length)]!
  return processingLine(id, atMs, place, { operation, quantities: '{"call":1}' })
}

/** A project of the account: of 24 in the largest one, of 4 in most. */
function pickPlace(random: Random, account: number): Place {
  const project = `p${random.below(4 + Math.floor(200 / (account + 10)))}`
  return { account: `account-${account}`, source: SOURCES[account % SOURCES.length]!, project }
}

function pickStatus(random: Random): number {
  const unit = random.unit()
  if (unit < 0.005) return 500
  return unit < 0.035 ? 404 : 200
}
