import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Outcomes } from '../../api/post-events.ts'
import { type EventLine, LINE_BYTES_MAX } from './event-lines.ts'
import type { LineProblem, OutcomeCounts } from '../terminal/outcomes.ts'
import { ApiRefused, NoAnswer, type ServerApi } from '../client/server-api.ts'

/** Lines of one request: enough to commit well, and few to send again. */
export const BATCH_LINES_MAX = 1000
/** Bytes of one request before packing. The server takes 32 MiB. */
export const BATCH_BYTES_MAX = 8 * 1024 * 1024
/** Requests on their way at once: one is read while one is committed, and the next is there already. */
export const IN_FLIGHT_MAX = 3
/** A request that fails is sent again for this long: a server may be restarted meanwhile. */
export const RETRY_MS = 120_000
/** Lines of an input without an end wait so long for others to share a request with. */
export const LINGER_MS = 1_000
const BACKOFF_MIN_MS = 200
const BACKOFF_MAX_MS = 5_000

/** What the server said of one batch. */
export interface BatchOutcome {
  readonly counts: OutcomeCounts
  readonly problems: readonly LineProblem[]
}

export interface SendOptions {
  /** Of the import, so that the server knows what belongs together. */
  readonly name: string
  readonly signal: AbortSignal
  readonly onOutcome: (outcome: BatchOutcome) => void
  /** All lines up to this one have been answered. */
  readonly onAnswered?: (line: EventLine) => void
  /** The input goes on for ever: what there is is sent after LINGER_MS, and again for as long as it takes. */
  readonly isEndless?: boolean
  /** The server is busy or away, and is tried again. */
  readonly onRetry: (reason: string) => void
}

/**
 * Send lines to the server, in batches, some at once. A batch whose answer is lost is sent again: the identity
 * of its events keeps them from counting twice.
 * @throws what ends it, after the requests that were on their way have ended
 */
export async function sendLines(
  api: ServerApi,
  lines: AsyncIterable<EventLine>,
  options: SendOptions,
): Promise<void> {
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  const sender = { api, ...options, signal, hasAnswered: false }
  const underway = new Set<Promise<void>>()
  const order = new AnswerOrder(options.onAnswered)
  let failure: { readonly error: unknown } | undefined
  const start = (batch: readonly EventLine[]) => {
    const answered = order.begin(batch.at(-1)!)
    const sent = sendBatch(sender, batch)
      .then((outcome) => {
        options.onOutcome(outcome)
        answered()
      })
      .catch((error: unknown) => {
        failure ??= { error }
        stop.abort()
      })
      .finally(() => underway.delete(sent))
    underway.add(sent)
  }
  const batches = options.isEndless ? lingeringBatchesOf(lines) : batchesOf(lines)
  while (!signal.aborted) {
    // Standard input may have nothing to say for a long time.
    const next = await nextUnless(batches, signal)
    if (next === undefined || next.done) break
    start(next.value)
    // The first one goes alone: a server that is away or a wrong key is found out once.
    while (underway.size >= (sender.hasAnswered ? IN_FLIGHT_MAX : 1)) await Promise.race(underway)
  }
  await Promise.all(underway)
  options.signal.throwIfAborted()
  if (failure) throw failure.error
}

export async function* batchesOf(lines: AsyncIterable<EventLine>): AsyncGenerator<readonly EventLine[]> {
  let batch: EventLine[] = []
  let bytes = 0
  for await (const line of lines) {
    const size = line.bytes?.length ?? 0
    if (batch.length === BATCH_LINES_MAX || (batch.length > 0 && bytes + size > BATCH_BYTES_MAX)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(line)
    bytes += size
  }
  if (batch.length > 0) yield batch
}

/** Batches of an input that may pause: none waits longer than LINGER_MS for its next line. */
export async function* lingeringBatchesOf(
  lines: AsyncIterable<EventLine>,
): AsyncGenerator<readonly EventLine[]> {
  const source = lines[Symbol.asyncIterator]()
  let next = source.next()
  for (let first = await next; !first.done; first = await next) {
    const batch: EventLine[] = [first.value]
    let bytes = first.value.bytes?.length ?? 0
    const waited = new AbortController()
    const late = sleep(LINGER_MS, undefined, { signal: waited.signal }).catch(() => undefined)
    for (;;) {
      next = source.next()
      // What goes wrong is seen when it is awaited, after this batch was sent.
      next.catch(() => undefined)
      if (batch.length === BATCH_LINES_MAX) break
      const more = await Promise.race([next, late])
      if (more === undefined || more.done) break
      const size = more.value.bytes?.length ?? 0
      if (bytes + size > BATCH_BYTES_MAX) break
      batch.push(more.value)
      bytes += size
    }
    waited.abort()
    yield batch
  }
}

/** The next of an iterator, or undefined when the signal comes first. Leaves nothing behind on the signal. */
export function nextUnless<T>(
  source: AsyncIterator<T, unknown>,
  signal: AbortSignal,
): Promise<IteratorResult<T, unknown> | undefined> {
  if (signal.aborted) return Promise.resolve(undefined)
  return new Promise((resolve, reject) => {
    const onAbort = () => resolve(undefined)
    signal.addEventListener('abort', onAbort, { once: true })
    source
      .next()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', onAbort))
  })
}

/** Answers come in any order; what is told is that everything up to a line has one. */
class AnswerOrder {
  readonly #tell: ((line: EventLine) => void) | undefined
  readonly #open: { readonly last: EventLine; isAnswered: boolean }[] = []

  constructor(tell: ((line: EventLine) => void) | undefined) {
    this.#tell = tell
  }

  /** @param last line of a batch; batches begin in the order of their lines */
  begin(last: EventLine): () => void {
    const one = { last, isAnswered: false }
    this.#open.push(one)
    return () => {
      one.isAnswered = true
      let upTo: EventLine | undefined
      while (this.#open[0]?.isAnswered) upTo = this.#open.shift()!.last
      if (upTo) this.#tell?.(upTo)
    }
  }
}

interface Sender extends SendOptions {
  readonly api: ServerApi
  /** Has the server answered anything yet? Until then, that it is away is no passing trouble. */
  hasAnswered: boolean
}

const pack = promisify(gzip)

async function sendBatch(sender: Sender, lines: readonly EventLine[]): Promise<BatchOutcome> {
  const sendable = lines.filter((line) => line.bytes !== undefined)
  const tooLong = lines.filter((line) => line.bytes === undefined).map(refuseLong)
  const text = Buffer.concat(sendable.flatMap(({ bytes }) => [bytes!, NEWLINE]))
  const { problems, ...counts } = await post(sender, await pack(text))
  // Remarks on what was accepted are for the developers of a sender: a file is as it is.
  const named = problems.flatMap(({ index, id, outcome, code, detail }): LineProblem[] => {
    if (outcome === 'accepted') return []
    // The server counts the lines of the request.
    const said = detail.replace(/^Line \d+ /, 'The line ')
    return [{ line: sendable[index]!.number, id, outcome, code, detail: said }]
  })
  const all = { ...counts, rejected: counts.rejected + tooLong.length }
  return { counts: all, problems: [...tooLong, ...named] }
}

const NEWLINE = Buffer.from('\n')

function refuseLong({ number }: EventLine): LineProblem {
  const detail = `The line is longer than ${LINE_BYTES_MAX} bytes: send less.`
  return { line: number, id: null, outcome: 'rejected', code: 'event/too_long', detail }
}

async function post(sender: Sender, body: Buffer): Promise<Outcomes> {
  const headers = {
    'content-type': 'application/x-ndjson',
    'content-encoding': 'gzip',
    'farthing-import': sender.name,
  }
  const begin = performance.now()
  const retryMs = sender.isEndless ? Number.POSITIVE_INFINITY : RETRY_MS
  for (let attempt = 0; ; attempt++) {
    try {
      const answer = await sender.api.json('POST /v1/events', { headers, body, signal: sender.signal })
      sender.hasAnswered = true
      return answer
    } catch (error) {
      if (!canRetry(sender, error) || performance.now() - begin > retryMs) throw error
      sender.onRetry((error as Error).message)
      await sleep(backoffMs(attempt, error), undefined, { signal: sender.signal })
    }
  }
}

/** There was a server, and then there was not. */
const CUT_OFF = ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']

function canRetry(sender: Sender, error: unknown): boolean {
  if (error instanceof ApiRefused) return [408, 429, 502, 503, 504].includes(error.status)
  if (!(error instanceof NoAnswer)) return false
  return sender.hasAnswered || CUT_OFF.includes(error.code ?? '')
}

/** Doubles, with some chance in it so that senders spread, and never before the server asks for it. */
function backoffMs(attempt: number, error: unknown): number {
  const doubled = Math.min(BACKOFF_MIN_MS * 2 ** attempt, BACKOFF_MAX_MS)
  const asked = error instanceof ApiRefused ? (error.retryAfterSeconds ?? 0) * 1000 : 0
  return Math.max(asked, doubled / 2 + (Math.random() * doubled) / 2)
}
