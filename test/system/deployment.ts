import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bill } from '../../src/core/bill/bill.ts'
import { billsOnPaper } from '../../src/core/bill/bills-on-paper.ts'
import { accept } from '../../src/core/ingest/accept.ts'
import type { UsageEvent } from '../../src/core/ingest/event.ts'
import { isRejection } from '../../src/core/ingest/rejection.ts'
import { standingOf } from '../../src/core/ingest/standing.ts'
import type { PriceBook } from '../../src/core/rate/price-book/price-book.ts'
import type { Json } from '../../src/core/text/canonical-json.ts'
import type { Hour } from '../../src/core/time/hour.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import { firstStart } from '../../src/flows/start/first-start.ts'
import { createIngest } from '../../src/flows/ingest/ingest.ts'
import type { Ingest } from '../../src/flows/ingest/ingest-types.ts'
import { sha256 } from '../../src/flows/shared/sha256.ts'
import { listBills, listLines } from '../../src/flows/read/read-bills.ts'
import { bookOf } from '../../src/flows/prices/read-price-version.ts'
import type { AsideNews } from '../../src/flows/settle/set-aside.ts'
import { settlePass, type SettlePass } from '../../src/flows/settle/settle.ts'
import type { Log } from '../../src/store/connect.ts'
import { testDatabase, type TestDatabase } from '../database.ts'

export const quiet: Log = { info() {}, warn() {}, error: console.error }

export interface Deployment extends TestDatabase {
  readonly ingest: Ingest
  readonly book: PriceBook
  readonly send: (events: readonly Json[]) => Promise<readonly string[]>
  readonly settle: (pass?: Partial<SettlePass>) => Promise<number>
  readonly billsOf: (account: string) => Promise<readonly Bill[]>
  readonly paper: (events: readonly Json[]) => readonly Bill[]
  readonly close: () => Promise<void>
}

/** A started deployment of its own, whose live hours begin at `firstHour` (default: the current hour). */
export async function deployment(firstHour?: Hour, priceBook?: string): Promise<Deployment> {
  const database = await testDatabase()
  const dataDir = mkdtempSync(join(tmpdir(), 'farthing-deployment-'))
  const { pool } = database
  const started = await firstStart({ pool, dataDir, priceBook, log: quiet, firstHour })
  if (!started.ok) throw new Error(started.detail)
  const ingest = await createIngest({ pool, log: quiet })
  const { book } = await bookOf(pool, null)
  return {
    ...database,
    ingest,
    book,
    async send(events) {
      const submitted = await ingest.submit(
        events.map((raw) => ({ raw })),
        undefined,
      )
      if (!submitted.ok) throw new Error(submitted.detail)
      return submitted.results.map(({ outcome }) => outcome)
    },
    settle: (pass) =>
      settlePass({
        pool,
        graceMs: 600_000,
        backfillQuietMs: 0,
        identityWindowMs: 62 * 86_400_000,
        stopping: () => false,
        onAside: refuseAside,
        ...pass,
      }),
    billsOf: (account) => billsOf(database, account),
    paper: (events) => paper(book, events),
    async close() {
      await ingest.close()
      await database.drop()
    },
  }
}

/** In a test that is not about it, nothing is set aside. */
export function refuseAside({ kind, aside, error }: AsideNews): void {
  throw new Error(`${kind}: ${JSON.stringify(aside)}`, { cause: error })
}

async function billsOf({ pool }: TestDatabase, account: string): Promise<readonly Bill[]> {
  const all = { account, from: 0 as Hour, to: (2 ** 31 - 1) as Hour, after: undefined, limit: 1_000 }
  const { items } = await listBills(pool, all)
  return Promise.all(
    items.map(async (bill) => ({ ...bill, lines: (await listLines(pool, bill, 0, 100_000)).items })),
  )
}

/** What the bills should be, by the core alone. */
function paper(book: PriceBook, events: readonly Json[]): readonly Bill[] {
  const context = { receivedAt: Date.now() as Instant, eventTypes: book.eventTypes }
  const accepted = events
    .map((raw) => accept(raw, context))
    .filter((event): event is UsageEvent => !isRejection(event))
  const standing = standingOf(accepted)
  const counted = accepted.filter((_, index) => standing[index] === 'stands')
  return billsOnPaper(book, counted, { priceVersion: 1, demo: true, sha256 })
}

/** What of a bill follows from usage and prices, whenever it was issued. */
export function essence({
  account,
  hour,
  total,
  components,
  lines,
  sequence,
  eventsDigest,
  linesDigest,
}: Bill) {
  return { account, hour, total, components, lines, sequence, eventsDigest, linesDigest }
}
