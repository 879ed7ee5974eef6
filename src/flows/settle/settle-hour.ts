import type pg from 'pg'
import { bucketOf } from '../../core/ingest/bucket.ts'
import { carriedOver, compareLevels, isSameLevel, type Level } from '../../core/meter/level.ts'
import { isZero } from '../../core/money/decimal.ts'
import type { PriceBook } from '../../core/rate/price-book.ts'
import type { Hour } from '../../core/time/hour.ts'
import { addConflictEvents } from '../../store/queries/add-conflict-events.ts'
import { addRefusedEvents } from '../../store/queries/add-refused-events.ts'
import { carryHistoryHours } from '../../store/queries/carry-history-hours.ts'
import { claimBuckets } from '../../store/queries/claim-buckets.ts'
import { claimHistoryBuckets } from '../../store/queries/claim-history-buckets.ts'
import { closeHistoryHours } from '../../store/queries/close-history-hours.ts'
import { deleteHeldEvents } from '../../store/queries/delete-held-events.ts'
import { raiseBucketSettled } from '../../store/queries/raise-bucket-settled.ts'
import { raiseSettledUntil } from '../../store/queries/raise-settled-until.ts'
import type { DueCycle } from '../../store/queries/next-due-cycle.ts'
import { readDeployment } from '../../store/queries/read-deployment.ts'
import { readHistoryAccounts } from '../../store/queries/read-history-accounts.ts'
import { readLateHours, type SettledAccount } from '../../store/queries/read-late-hours.ts'
import { readMarks } from '../../store/queries/read-marks.ts'
import { readRestatedAccounts } from '../../store/queries/read-restated-accounts.ts'
import { run, runOne, type Sql } from '../../store/query.ts'
import { transaction } from '../../store/transaction.ts'
import { knownLevels } from './charge-storage.ts'
import { type AccountFacts, NO_COPIES, readCycleFacts } from './cycle-facts.ts'
import { draftAccount } from './draft-account.ts'
import {
  findCopies,
  type IdentityWindow,
  marksOf,
  readWindow,
  refusedCopy,
  rememberIdentities,
} from './find-copies-across-hours.ts'
import { type BillingContext, type DraftedAccount, issueBills } from './issue-bills.ts'
import { bookOf } from '../prices/read-price-version.ts'

/** Accounts whose bills are stored at once: bounds memory, and the rows of one COPY. */
const BATCH_ACCOUNTS = 400

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
export async function settleLiveHour(
  pool: pg.Pool,
  due: DueCycle,
  range: BucketRange,
  windowHours: number,
): Promise<number> {
  const settled = await transaction(pool, async (client) => {
    const buckets = await run(client, claimBuckets, { hour: due.hour, ...range })
    if (buckets.length === 0) return 0
    await settleChunk(client, { due, buckets, accounts: null, late: false, windowHours })
    await run(client, raiseBucketSettled, { buckets, to: (due.hour + 1) as Hour })
    return buckets.length
  })
  if (settled > 0) await run(pool, raiseSettledUntil, undefined)
  return settled
}

/** Settle the sealed history of an hour, as `settleLiveHour` does. */
export async function settleHistoryHour(pool: pg.Pool, due: DueCycle, windowHours: number): Promise<number> {
  return transaction(pool, async (client) => {
    const buckets = await run(client, claimHistoryBuckets, due)
    if (buckets.length === 0) return 0
    const accounts = await run(client, readHistoryAccounts, { ...due, buckets })
    await settleChunk(client, { due, buckets, accounts, late: true, windowHours })
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
  /** How far apart copies of one identity are found. */
  readonly windowHours: number
}

async function settleChunk(client: pg.PoolClient, chunk: Chunk): Promise<void> {
  const { due, buckets, late } = chunk
  const { book } = await bookOf(client, due.priceVersion)
  const context = await billingContext(client, chunk, book.currency)
  const known = await knownLevels(client, due.hour, buckets, null)
  const restated = late ? [] : await run(client, readRestatedAccounts, { cycle: due.hour, buckets })
  const restatedFrom = new Map(restated.map((row) => [row.account, row.hour]))
  const window = await windowOf(client, chunk)
  const draft = (facts: AccountFacts) => {
    const levels = known.get(facts.account) ?? []
    const common = { ...due, book, facts, known: levels, isLate: late, beforeStep: null }
    return draftAccount(client, { ...common, restatedFrom: restatedFrom.get(facts.account) })
  }
  const issue = async (batch: readonly AccountFacts[]) => {
    const standing = await withoutCopies(client, chunk, book, window, batch)
    const drafted: DraftedAccount[] = []
    for (const facts of standing) drafted.push({ facts, draft: await draft(facts) })
    await issueBills(client, context, drafted)
    await rememberIdentities(client, buckets, standing)
    if (late)
      await carryOn(
        client,
        due.hour,
        standing.filter((facts) => carries(known, facts, due.hour)),
      )
  }
  const batch: AccountFacts[] = []
  for await (const facts of accountsOf(client, chunk, book, known, restated)) {
    batch.push(facts)
    if (batch.length === BATCH_ACCOUNTS) await issue(batch.splice(0))
  }
  await issue(batch)
}

/** What was settled around the hours of which a chunk has events. */
async function windowOf(sql: Sql, { due, buckets, late, windowHours }: Chunk): Promise<IdentityWindow> {
  const older = late ? [] : await run(sql, readLateHours, { cycle: due.hour, buckets })
  return readWindow(sql, buckets, [due.hour, ...older.map(({ hour }) => hour)], windowHours)
}

/** The facts of a batch, read again without their copies where there are some. The marks are stored. */
async function withoutCopies(
  sql: Sql,
  { due: { hour }, buckets }: Chunk,
  book: PriceBook,
  window: IdentityWindow,
  batch: readonly AccountFacts[],
): Promise<readonly AccountFacts[]> {
  const copies = await findCopies(sql, window, hour, batch)
  if (copies.length === 0) return batch
  await run(sql, addConflictEvents, copies)
  await run(sql, deleteHeldEvents, copies)
  await run(sql, addRefusedEvents, copies.map(refusedCopy))
  const marks = marksOf(copies)
  const again = batch.filter(({ account }) => marks.has(account))
  const facts = new Map<string, AccountFacts>()
  const reading = { hour, buckets, accounts: again, copies: marks }
  for (const account of await readCycleFacts(sql, book, reading)) facts.set(account.account, account)
  return batch.map((account) => facts.get(account.account) ?? account)
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
  const reading = { hour: due.hour, buckets, copies: NO_COPIES }
  for (const facts of await readCycleFacts(client, book, { ...reading, accounts })) {
    seen.add(facts.account)
    yield facts
  }
  if (accounts !== null) return
  const storing = [...known]
    .filter(([, levels]) => levels.some(({ bytes }) => !isZero(bytes)))
    .map(([account]) => ({ account, bucket: bucketOf(account) }))
  const silent = new Map([...storing, ...restated].map((key) => [key.account, key]))
  const rest = [...silent.values()].filter(({ account }) => !seen.has(account))
  if (rest.length > 0) yield* await readCycleFacts(client, book, { ...reading, accounts: rest })
}

async function billingContext(sql: Sql, { due, late }: Chunk, currency: string): Promise<BillingContext> {
  const [deployment, marks] = [
    await runOne(sql, readDeployment, undefined),
    await runOne(sql, readMarks, undefined),
  ]
  return { ...due, late, currency, demo: deployment!.demo, issuedAt: marks!.now }
}

/** Does an account store something at the end of the hour? */
function carries(known: ReadonlyMap<string, readonly Level[]>, facts: AccountFacts, hour: Hour): boolean {
  const { account, levels: announced, withdrawn } = facts
  const kept = (known.get(account) ?? []).filter(
    (level) => !withdrawn.some((taken) => isSameLevel(level, taken)),
  )
  const levels = [...kept, ...announced]
  return carriedOver(levels.sort(compareLevels), hour).length > 0
}

async function carryOn(sql: Sql, hour: Hour, accounts: readonly SettledAccount[]): Promise<void> {
  const buckets = new Set(accounts.map(({ bucket }) => bucket))
  for (const bucket of buckets) {
    const names = accounts.filter((key) => key.bucket === bucket).map(({ account }) => account)
    await run(sql, carryHistoryHours, { hour, bucket, accounts: names })
  }
}
