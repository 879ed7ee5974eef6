import type { DeliveryAnswer, LargeDeliveries, SentDelivery } from '../../src/http/body/delivery-types.ts'
import type { Log } from '../../src/store/connect.ts'
import {
  type IngestThreads,
  makeIngestThreads,
  type ThreadOptions,
} from '../../src/threads/ingest-threads.ts'
import type { TestDatabase } from '../database.ts'

/** As it is compiled: a thread has no other way to run it. */
const WORKER = new URL('../../dist/src/threads/ingest-worker.js', import.meta.url)
/** None of it is stored. */
const NOTHING = Buffer.from(' '.repeat(65_536))

/** The real threads, and how many deliveries they took. */
export class CountedThreads implements LargeDeliveries {
  taken = 0
  readonly threads: IngestThreads

  constructor({ connection }: TestDatabase, log: Log, options: Partial<ThreadOptions> = {}) {
    const setup = { database: connection, taken: 'any', sessions: 2 } as const
    this.threads = makeIngestThreads(setup, { log, cores: 2, worker: WORKER, ...options })
  }

  async take(sent: SentDelivery): Promise<DeliveryAnswer | undefined> {
    this.taken++
    const taken = await this.threads.take(sent)
    if (!taken) this.taken--
    return taken
  }

  /** Resolves when threads take deliveries. */
  async ready(): Promise<void> {
    if (!(await this.threads.take(delivery(Buffer.from(NOTHING), 'application/x-ndjson'))))
      throw new Error('no thread takes deliveries')
  }
}

/** A delivery as the server gives it to a thread. */
export function delivery(
  body: Buffer,
  type = 'application/json',
  more: Partial<SentDelivery> = {},
): SentDelivery {
  const headers = { 'content-type': type }
  return {
    protocol: 'events',
    headers,
    rawHeaders: [],
    body,
    boundAccount: undefined,
    requestId: 'r',
    ...more,
  }
}
