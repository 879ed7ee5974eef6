import type pg from 'pg'
import { bucketOf } from '../core/ingest/bucket.ts'
import { carriedOver, compareLevels, type Level } from '../core/meter/level.ts'
import { isZero } from '../core/money/decimal.ts'
import type { PriceBook } from '../core/rate/price-book.ts'
import type { Hour } from '../core/time/hour.ts'
import { addBillMonth } from '../store/queries/add-bill-month.ts'
import { carryHistoryHours } from '../store/queries/carry-history-hours.ts'
import { claimBuckets } from '../store/queries/claim-buckets.ts'
import { claimHistoryBuckets } from '../store/queries/claim-history-buckets.ts'
import { closeHistoryHours } from '../store/queries/close-history-hours.ts'
import { raiseBucketSettled } from '../store/queries/raise-bucket-settled.ts'
import { raiseSettledUntil } from '../store/queries/raise-settled-until.ts'
import type { DueCycle } from '../store/queries/next-due-cycle.ts'
import { readDeployment } from '../store/queries/read-deployment.ts'
import { readHistoryAccounts } from '../store/queries/read-history-accounts.ts'
import type { SettledAccount } from '../store/queries/read-late-hours.ts'
import { readMarks } from '../store/queries/read-marks.ts'
import { readRestatedAccounts } from '../store/queries/read-restated-accounts.ts'
import { run, runOne, type Sql } from '../store/query.ts'
import { transaction } from '../store/transaction.ts'
import { knownLevels } from './charge-storage.ts'
import { type AccountFacts, readCycleFacts } from './cycle-facts.ts'
import { draftAccount } from './draft-account.ts'
import { type BillingContext, type DraftedAccount, issueBills } from './issue-bills.ts'
import { bookOf } from './read-price-version.ts'

/** Accounts whose bills are stored at once: bounds memory, and the rows of one COPY. */
const BATCH_ACCOUNTS = 1_000

/** Buckets in [from, to). */
export interface BucketRange {
  readonly from: number
  readonly to: number
}

/**
 * Settle a sealed live hour in those buckets of a range that are due and that nobody else has claimed: one
 * transaction, in which each account with usage, late usage or stored data gets its bill. Killed at any line it
 * leaves nothing behind; run twice it finds the buckets settled.
 * @returns how many buckets were settled
 */
export async function settleLiveHour(pool: pg.Pool, due: DueCycle, range: BucketRange): Promise<number> {
  await run(pool, addBillMonth, { hour: due.hour })
  const settled = await transaction(pool, async (client) => {
    const buckets = await run(client, claimBuckets, { hour: due.hour, ...range })
    if (buckets.length === 0) return 0
    await settleChunk(client, { due, buckets, accounts: null, late: false })
    await run(client, raiseBucketSettled, { buckets, to: (due.hour + 1) as Hour })
    return buckets.length
  })
  if (settled > 0) await run(pool, raiseSettledUntil, undefined)
  return settled
}

/** Settle the sealed history of an hour, as `settleLiveHour` does. */
export async function settleHistoryHour(pool: pg.Pool, due: DueCycle): Promise<number> {
  await run(pool, addBillMonth, { hour: due.hour })
  return transaction(pool, async (client) => {
    const buckets = await run(client, claimHistoryBuckets, due)
    if (buckets.length === 0) return 0
    const accounts = await run(client, readHistoryAccounts, { ...due, buckets })
    await settleChunk(client, { due, buckets, accounts, late: true })
    for (const bucket of buckets) {
      const names = accounts.filter((key) => key.bucket === bucket).map(({ account }) => account)
      await run(client, closeHistoryHours, { hour: due.hour, bucket, accounts: names })
    }
    return buckets.length
  })
}

interface Chunk {
  readonly due: DueCycle
  /** Claimed. */
  readonly buckets: readonly number[]
  /** The accounts whose history is sealed; null: the hour is live, and all count. */
  readonly accounts: readonly SettledAccount[] | null
  readonly late: boolean
}

async function settleChunk(client: pg.PoolClient, chunk: Chunk): Promise<void> {
  const { due, buckets, late } = chunk
  const { hour, priceVersion } = due
  const { book } = await bookOf(client, priceVersion)
  const context = await billingContext(client, chunk, book.currency)
  const known = await knownLevels(client, hour, buckets, null)
  const restated = late ? [] : await run(client, readRestatedAccounts, { cycle: hour, buckets })
  const restatedFrom = new Map(restated.map((row) => [row.account, row.hour]))
  const batch: DraftedAccount[] = []
  const carrying: SettledAccount[] = []
  for await (const facts of accountsOf(client, chunk, book, known, restated)) {
    const levels = known.get(facts.account) ?? []
    const common = { hour, book, priceVersion, facts, known: levels, isLate: late, beforeStep: null }
    batch.push({
      facts,
      draft: await draftAccount(client, { ...common, restatedFrom: restatedFrom.get(facts.account) }),
    })
    if (late && carries(levels, facts.levels, hour)) carrying.push(facts)
    if (batch.length < BATCH_ACCOUNTS) continue
    await issueBills(client, context, batch.splice(0))
  }
  await issueBills(client, context, batch)
  await carryOn(client, hour, carrying)
}

/** Everyone with events, late events, stored data or restated storage; in history, the sealed accounts. */
async function* accountsOf(
  client: pg.PoolClient,
  { due, buckets, accounts }: Chunk,
  book: PriceBook,
  known: ReadonlyMap<string, readonly Level[]>,
  restated: readonly SettledAccount[],
): AsyncGenerator<AccountFacts> {
  const seen = new Set<string>()
  for await (const facts of readCycleFacts(client, book, { hour: due.hour, buckets, accounts })) {
    seen.add(facts.account)
    yield facts
  }
  if (accounts !== null) return
  const storing = [...known]
    .filter(([, levels]) => levels.some(({ bytes }) => !isZero(bytes)))
    .map(([account]) => ({ account, bucket: bucketOf(account) }))
  const silent = new Map([...storing, ...restated].map((key) => [key.account, key]))
  const rest = [...silent.values()].filter(({ account }) => !seen.has(account))
  if (rest.length > 0) yield* readCycleFacts(client, book, { hour: due.hour, buckets, accounts: rest })
}

async function billingContext(sql: Sql, { due, late }: Chunk, currency: string): Promise<BillingContext> {
  const [deployment, marks] = [
    await runOne(sql, readDeployment, undefined),
    await runOne(sql, readMarks, undefined),
  ]
  return { ...due, late, currency, demo: deployment!.demo, issuedAt: marks!.now }
}

function carries(known: readonly Level[], announced: readonly Level[], hour: Hour): boolean {
  return carriedOver([...known, ...announced].sort(compareLevels), hour).length > 0
}

async function carryOn(sql: Sql, hour: Hour, accounts: readonly SettledAccount[]): Promise<void> {
  const buckets = new Set(accounts.map(({ bucket }) => bucket))
  for (const bucket of buckets) {
    const names = accounts.filter((key) => key.bucket === bucket).map(({ account }) => account)
    await run(sql, carryHistoryHours, { hour, bucket, accounts: names })
  }
}
