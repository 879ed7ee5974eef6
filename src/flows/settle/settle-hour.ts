import type pg from 'pg'
import { groupBy } from '../../core/group-by.ts'
import { carriedOver, compareLevels, type Level, withoutLevels } from '../../core/meter/level.ts'
import { invariant } from '../../core/invariant.ts'
import { isNegative } from '../../core/money/decimal.ts'
import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import type { Hour } from '../../core/time/hour.ts'
import { insertConflictEvents, type ConflictEvent } from '../../store/conflicts.ts'
import {
  insertCarriedBackfillHours,
  deleteBackfillHours,
  listBackfillAccounts,
} from '../../store/backfill-hours.ts'
import { claimBuckets, claimBackfillBuckets, updateBucketSettled } from '../../store/buckets.ts'
import { deleteHeldEvents } from '../../store/held-events.ts'
import type { DueCycle } from '../../store/cycles.ts'
import { findDeploymentRow, findWatermarks } from '../../store/deployment.ts'
import { type LateHour, listRestatedAccounts } from '../../store/late-hours.ts'
import type { SettledAccount } from '../../store/settled-hours.ts'
import { run, runOne, type Sql } from '../../store/query.ts'
import { transaction } from '../../store/transaction.ts'
import { listStorageTotals } from '../../store/storage-totals.ts'
import { type ChargeStorage, knownLevels } from './charge-storage.ts'
import { type AccountFacts, NO_DUPLICATES, readCycleFacts } from './cycle-facts.ts'
import { draftAccount } from './draft-account.ts'
import { filledAccounts, noteFilled } from './fill-storage.ts'
import {
  findDuplicates,
  duplicateMarksOf,
  refusedDuplicate,
  rememberIdentities,
} from './find-duplicates-across-hours.ts'
import type { IdentityWindow } from './identity-window.ts'
import { type BillingContext, issueBills } from './issue-bills.ts'
import { keepRefusals } from '../shared/keep-refusals.ts'
import { type AccountPricing, loadPricing } from '../accounts/account-pricing.ts'
import { bookOf } from '../prices/read-price-version.ts'

/** Accounts whose bills are stored at once: some megabytes of rows. */
const BATCH_ACCOUNTS = 2_000

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
  window: IdentityWindow,
): Promise<number> {
  return transaction(pool, async (client) => {
    const buckets = await run(client, claimBuckets, { hour: due.hour, ...range })
    if (buckets.length === 0) return 0
    await settleChunk(client, { due, buckets, accounts: null, late: false, window })
    await run(client, updateBucketSettled, { buckets, to: (due.hour + 1) as Hour })
    return buckets.length
  })
}

/** Settle the sealed backfill of an hour, as `settleLiveHour` does. */
export async function settleBackfillHour(
  pool: pg.Pool,
  due: DueCycle,
  window: IdentityWindow,
): Promise<number> {
  return transaction(pool, async (client) => {
    const buckets = await run(client, claimBackfillBuckets, due)
    if (buckets.length === 0) return 0
    const accounts = await run(client, listBackfillAccounts, { ...due, buckets })
    await settleChunk(client, { due, buckets, accounts, late: true, window })
    for (const bucket of buckets) {
      const names = accounts.filter((key) => key.bucket === bucket).map(({ account }) => account)
      await run(client, deleteBackfillHours, { hour: due.hour, bucket, accounts: names })
    }
    return buckets.length
  })
}

/** What is settled at once. */
export interface Chunk {
  readonly due: DueCycle
  /** Claimed. */
  readonly buckets: readonly number[]
  /** Only these: those whose backfill is sealed, or some of a live hour; null: all of a live hour. */
  readonly accounts: readonly SettledAccount[] | null
  readonly late: boolean
  readonly window: IdentityWindow
}

/** Make the bills of a chunk. Accounts do not depend on each other, so any division of an hour comes to the same bills. */
export async function settleChunk(client: pg.PoolClient, chunk: Chunk): Promise<void> {
  const { due, buckets, late } = chunk
  const only = chunk.accounts && new Set(chunk.accounts.map(({ account }) => account))
  const ofChunk = ({ account }: SettledAccount) => only === null || only.has(account)
  const { book, lists } = await bookOf(client, due.priceVersion)
  const context = await billingContext(client, chunk, book.currency)
  const known = await knownBefore(client, chunk)
  const filled = late ? [] : (await filledAccounts(client, due, book, buckets)).filter(ofChunk)
  const allRestated = late ? [] : await run(client, listRestatedAccounts, { cycle: due.hour, buckets })
  const restated = allRestated.filter(ofChunk)
  const restatedFrom = oldestHours([...restated, ...filled])
  const draft = (facts: AccountFacts, pricing: AccountPricing) => {
    const common = { ...due, book, facts, known: known.of(facts.account), isLate: late, beforeStep: null }
    const prices = pricing.pricesOf(facts.account)
    const positionsAt = (oldest: Hour) => pricing.positionsOf(client, facts, oldest)
    const restatedSince = restatedFrom.get(facts.account)
    return draftAccount(client, { ...common, restatedFrom: restatedSince, prices, positionsAt })
  }
  const all = await factsOf(client, chunk, book, [...known.storing, ...restated, ...filled])
  const { facts, duplicates } = await withoutDuplicates(client, chunk, book, all)
  for (let start = 0; start < facts.length; start += BATCH_ACCOUNTS) {
    const batch = facts.slice(start, start + BATCH_ACCOUNTS)
    const pricing = await loadPricing(client, { book, lists, hour: due.hour, accounts: batch })
    const settled = await issueBills(client, { ...context, pricing }, batch, draft)
    await noteFilled(client, due.hour, filled, settled)
  }
  await rememberIdentities(client, buckets, facts)
  if (late)
    await carryOn(
      client,
      due.hour,
      facts.filter((account) => carries(known.levelsOf(account.account), account, due.hour)),
    )
  await keepRefusals(client, duplicates.map(refusedDuplicate))
}

/** Stored data is never less than nothing: whatever has changed that, no bill is made of it. */
function refuseImpossible(stored: Iterable<readonly Pick<Level, 'bytes'>[]>): void {
  for (const amounts of stored)
    for (const { bytes } of amounts) invariant(!isNegative(bytes), 'a stored level is not below 0')
}

/** What accounts store when the hour begins. */
interface KnownBefore {
  of(account: string): ChargeStorage['known']
  /** Of backfill. */
  levelsOf(account: string): readonly Level[]
  /** Accounts that store something, where all of a live hour are settled. */
  readonly storing: readonly SettledAccount[]
}

/**
 * A live hour is newer than every settled level, so their sums say it. In an older hour, and where something fails and
 * accounts are settled apart, the levels themselves are looked up.
 */
async function knownBefore(sql: Sql, { due, buckets, accounts }: Chunk): Promise<KnownBefore> {
  if (accounts === null) {
    const totals = groupBy(await run(sql, listStorageTotals, { buckets }), ({ account }) => account)
    refuseImpossible(totals.values())
    const storing = [...totals.values()].map(([first]) => first!)
    return { of: (account) => ({ carried: totals.get(account) ?? [] }), levelsOf: () => [], storing }
  }
  const asOf = accounts.map(({ account }) => ({ account, step: Number.MAX_SAFE_INTEGER }))
  const levels = await knownLevels(sql, due.hour, buckets, asOf)
  refuseImpossible(levels.values())
  const levelsOf = (account: string) => levels.get(account) ?? []
  return { of: levelsOf, levelsOf, storing: [] }
}

/** By account. */
function oldestHours(restated: readonly LateHour[]): ReadonlyMap<string, Hour> {
  const oldest = new Map<string, Hour>()
  for (const { account, hour } of restated) {
    oldest.set(account, Math.min(hour, oldest.get(account) ?? hour) as Hour)
  }
  return oldest
}

/** The facts of some accounts, read again without their duplicates where there are some. The marks are stored. */
async function withoutDuplicates(
  sql: Sql,
  { due: { hour }, buckets, window }: Chunk,
  book: PriceBook,
  accounts: readonly AccountFacts[],
): Promise<{ readonly facts: readonly AccountFacts[]; readonly duplicates: readonly ConflictEvent[] }> {
  const duplicates = await findDuplicates(sql, { window, buckets, cycle: hour, accounts })
  if (duplicates.length === 0) return { facts: accounts, duplicates }
  await run(sql, insertConflictEvents, duplicates)
  await run(sql, deleteHeldEvents, duplicates)
  const marks = duplicateMarksOf(duplicates)
  const again = accounts.filter(({ account }) => marks.has(account))
  const facts = new Map<string, AccountFacts>()
  const reading = { hour, buckets, accounts: again, duplicates: marks }
  for (const account of await readCycleFacts(sql, book, reading)) facts.set(account.account, account)
  return { facts: accounts.map((account) => facts.get(account.account) ?? account), duplicates }
}

/** Everyone with events, late events, stored data or restated storage; or the accounts of the chunk. */
async function factsOf(
  client: pg.PoolClient,
  { due, buckets, accounts }: Chunk,
  book: PriceBook,
  quiet: readonly SettledAccount[],
): Promise<readonly AccountFacts[]> {
  const reading = { hour: due.hour, buckets, duplicates: NO_DUPLICATES }
  const facts = await readCycleFacts(client, book, { ...reading, accounts })
  if (accounts !== null) return facts
  const seen = new Set(facts.map(({ account }) => account))
  const silent = new Map(quiet.map((key) => [key.account, key]))
  const rest = [...silent.values()].filter(({ account }) => !seen.has(account))
  if (rest.length === 0) return facts
  return [...facts, ...(await readCycleFacts(client, book, { ...reading, accounts: rest }))]
}

async function billingContext(
  sql: Sql,
  { due, late }: Chunk,
  currency: string,
): Promise<Omit<BillingContext, 'pricing'>> {
  const [deployment, watermarks] = [
    await runOne(sql, findDeploymentRow, undefined),
    await runOne(sql, findWatermarks, undefined),
  ]
  return { ...due, late, currency, demo: deployment!.demo, issuedAt: watermarks!.now }
}

/** Does an account store something at the end of the hour? */
function carries(known: readonly Level[], facts: AccountFacts, hour: Hour): boolean {
  const { levels: announced, withdrawn } = facts
  const levels = [...withoutLevels(known, withdrawn), ...announced]
  return carriedOver(levels.sort(compareLevels), hour).length > 0
}

async function carryOn(sql: Sql, hour: Hour, accounts: readonly SettledAccount[]): Promise<void> {
  const buckets = new Set(accounts.map(({ bucket }) => bucket))
  for (const bucket of buckets) {
    const names = accounts.filter((key) => key.bucket === bucket).map(({ account }) => account)
    await run(sql, insertCarriedBackfillHours, { hour, bucket, accounts: names })
  }
}
