import type { TriedEvent } from '../../api/dry-run.ts'
import { CommandFailed } from '../terminal/command-failed.ts'
import { EarlierEvents } from './earlier-events.ts'
import { type EventLine, LINE_BYTES_MAX } from './event-lines.ts'
import { batchesOf } from './send-lines.ts'
import type { ServerApi } from '../client/server-api.ts'

/** The same of a line of a file. */
export interface CheckedEvent extends Omit<TriedEvent, 'index'> {
  /** From 1, blank lines counted. */
  readonly line: number
  readonly currency: string
}

interface Answer {
  readonly currency: string
  readonly events: readonly TriedEvent[]
}

/**
 * What would become of lines, batch by batch, in order. The server knows what is stored and what a batch has; repeats
 * of earlier batches are found here.
 * @throws ApiRefused, NoAnswer: nothing was stored, so it can be asked again
 */
export async function* checkLines(
  api: ServerApi,
  lines: AsyncIterable<EventLine>,
  { signal }: { readonly signal: AbortSignal },
): AsyncGenerator<readonly CheckedEvent[]> {
  const earlier = new EarlierEvents()
  for await (const batch of batchesOf(lines)) {
    signal.throwIfAborted()
    const readable = batch.filter((line) => line.bytes !== undefined)
    const { currency, events } = await ask(api, readable, signal)
    const checked = new Map(
      events.map((event) => [readable[event.index]!, earlier.correct(event, readable[event.index]!.bytes!)]),
    )
    earlier.endBatch()
    yield batch.map((line): CheckedEvent => {
      const event = checked.get(line)
      if (event === undefined) return { ...TOO_LONG, line: line.number, currency }
      const { index: _, detail, ...rest } = event
      // The server counts the lines of the request.
      return {
        line: line.number,
        ...rest,
        detail: detail?.replace(/^Line \d+ /, 'The line ') ?? null,
        currency,
      }
    })
  }
}

async function ask(api: ServerApi, lines: readonly EventLine[], signal: AbortSignal): Promise<Answer> {
  const body = Buffer.concat(lines.flatMap(({ bytes }) => [bytes!, NEWLINE]))
  // As the import would send it, so that the answer is the same.
  const headers = { 'content-type': 'application/x-ndjson', 'farthing-import': 'events-check' }
  const request = { query: { dryRun: 'true' }, headers, body, signal } as const
  const { currency, events } = await api.json('POST /v1/events', request)
  if (currency !== undefined && events !== undefined) return { currency, events }
  throw new CommandFailed('The server has answered no dry run: use the command line of its version.')
}

const NEWLINE = Buffer.from('\n')

const TOO_LONG = {
  id: null,
  outcome: 'rejected',
  code: 'event/too_long',
  detail: `The line is longer than ${LINE_BYTES_MAX} bytes: send less.`,
  cycle: null,
  charges: [],
} as const
