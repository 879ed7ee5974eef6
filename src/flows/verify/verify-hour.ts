import { countOf } from '../../core/present/readable-text.ts'
import { emptyDraft } from '../../core/bill/draft-bill.ts'
import { issueBill } from '../../core/bill/issue-bill.ts'
import type { Bill } from '../../core/bill/bill.ts'
import { groupBy } from '../../core/group-by.ts'
import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import type { PriceList } from '../../core/rate/price-list/price-list.ts'
import { positionsBefore } from '../../core/bill/positions-before.ts'
import { formatHour, type Hour } from '../../core/time/hour.ts'
import type { StoredBill } from '../../store/bill-row.ts'
import { checksumOf } from '../../store/events-table.ts'
import { findLevels } from '../../store/storage-levels.ts'
import { listChecksums, listUnsettledAccounts } from '../../store/usage-events.ts'
import { listConflictEvents } from '../../store/conflicts.ts'
import { listHourBills, type ReadHour } from '../../store/bills.ts'
import { listHourLines } from '../../store/bill-lines.ts'
import { listLateHours, listRestatedAccounts } from '../../store/late-hours.ts'
import { type HourWithoutBill, listSettledHours, type SettledAccount } from '../../store/settled-hours.ts'
import { plain } from '../../core/money/decimal.ts'
import { run, type Sql } from '../../store/query.ts'
import { loadPricing } from '../accounts/account-pricing.ts'
import { knownLevels } from '../settle/charge-storage.ts'
import { statementMonths } from '../accounts/statement-months.ts'
import { compareBill, type Difference } from './compare-bill.ts'
import { type AccountFacts, readCycleFacts } from '../settle/cycle-facts.ts'
import { type DraftAccount, draftAccount } from '../settle/draft-account.ts'
import { duplicateMarksOf } from '../settle/find-duplicates-across-hours.ts'
import { sha256 } from '../shared/sha256.ts'
import { verifyHeld, verifyHeldNotes } from './verify-held.ts'

export interface VerifyHour extends ReadHour {
  /** Has every bucket settled it, if it is a live hour? Then usage without a bill is a difference. */
  readonly isSettled: boolean
  readonly bookOf: (version: number) => Promise<PriceBook>
  readonly listsOf: (version: number) => Promise<ReadonlyMap<string, PriceList>>
  /** All versions that can be read. */
  readonly books: ReadonlyMap<number, PriceBook>
}

type Settled = SettledAccount & { readonly step: number; readonly priceVersion: number }

/** What of one hour is not as its facts say. @returns also how many bills were computed again */
export async function verifyHour(
  sql: Sql,
  asked: VerifyHour,
): Promise<{ readonly bills: number; readonly differences: readonly Difference[] }> {
  const lines = groupBy(await run(sql, listHourLines, asked), ({ account }) => account)
  const bills = (await run(sql, listHourBills, asked)).map((bill) => ({
    ...bill,
    lines: (lines.get(bill.account) ?? []).map(({ line }) => line),
  }))
  const without = await run(sql, listSettledHours, asked)
  const differences: Difference[] = []
  for (const [version, settled] of groupBy<Settled, number>(
    [...bills, ...without],
    (row) => row.priceVersion,
  )) {
    differences.push(...(await verifyVersion(sql, asked, version, settled, bills, without)))
  }
  if (asked.isSettled) differences.push(...(await missingBills(sql, asked)))
  differences.push(...(await verifyHeldNotes(sql, asked)))
  return { bills: bills.length, differences }
}

async function missingBills(sql: Sql, asked: VerifyHour): Promise<readonly Difference[]> {
  const missing = await run(sql, listUnsettledAccounts, asked)
  return missing.map(({ account }) => ({
    place: `account ${account}, hour ${formatHour(asked.hour)}`,
    detail: 'has usage and no bill, although the hour is settled',
  }))
}

type WholeBill = StoredBill & Bill

async function verifyVersion(
  sql: Sql,
  { hour, buckets, bookOf, listsOf, books }: VerifyHour,
  priceVersion: number,
  settled: readonly Settled[],
  bills: readonly WholeBill[],
  without: readonly HourWithoutBill[],
): Promise<readonly Difference[]> {
  const book = await bookOf(priceVersion)
  const known = await knownLevels(sql, hour, buckets, settled)
  const restated = await run(sql, listRestatedAccounts, { cycle: hour, buckets })
  const restatedFrom = new Map(restated.map((row) => [row.account, row.hour]))
  const stepOf = new Map(settled.map((row) => [row.account, row.step]))
  const billOf = new Map(bills.map((bill) => [bill.account, bill]))
  const withoutOf = new Map(without.map((row) => [row.account, row]))
  const duplicates = duplicateMarksOf(await run(sql, listConflictEvents, { cycle: hour, buckets }))
  const monthOf = await statementMonths(sql, hour, settled)
  const pricing = await loadPricing(sql, {
    book,
    lists: await listsOf(priceVersion),
    hour,
    accounts: settled,
  })
  const differences: Difference[] = []
  const facts = await readCycleFacts(sql, book, {
    hour,
    buckets,
    accounts: settled,
    duplicates,
    onDamaged: () => undefined,
  })
  for (const account of facts) {
    const [bill, hourWithout] = [billOf.get(account.account), withoutOf.get(account.account)]
    const draft: DraftAccount = {
      hour,
      book,
      priceVersion,
      facts: account,
      known: known.get(account.account) ?? [],
      restatedFrom: bill?.late ? undefined : restatedFrom.get(account.account),
      isLate: bill?.late ?? true,
      beforeStep: stepOf.get(account.account)!,
      prices: pricing.pricesOf(account.account),
      // What they are after the bills before is a question of its own: see findBrokenPositions.
      positionsAt: async () => positionsBefore(bill?.lines ?? []),
    }
    const found = await verifyAccount(sql, draft, bill, hourWithout, monthOf)
    if (found.length > 0) differences.push(...found, ...(await damagedEvents(sql, hour, account)))
    differences.push(...(await verifyLevels(sql, account)))
    differences.push(...(await verifyHeld(sql, { hour, book, duplicates, books }, account)))
  }
  return differences
}

async function verifyAccount(
  sql: Sql,
  draft: DraftAccount,
  bill: WholeBill | undefined,
  without: HourWithoutBill | undefined,
  monthOf: (account: string) => string,
): Promise<readonly Difference[]> {
  const { hour, facts, book } = draft
  const drafted = await draftAccount(sql, draft)
  if (bill) {
    const { eventsDigest } = facts
    const statementMonth = monthOf(facts.account)
    const issue = { ...bill, eventsDigest, currency: book.currency, statementMonth }
    return compareBill(bill, issueBill(issue, drafted ?? emptyDraft(), sha256))
  }
  const place = `account ${facts.account}, hour ${formatHour(hour)}`
  if (drafted)
    return [{ place, detail: `was settled without a bill, and should have one of ${drafted.total}` }]
  if (without?.eventsDigest === facts.eventsDigest) return []
  return [{ place, detail: `eventsDigest is ${without?.eventsDigest}, and should be ${facts.eventsDigest}` }]
}

/** Which events are not as they were stored, by their checksums: asked only where a digest differs. */
async function damagedEvents(sql: Sql, cycle: Hour, facts: AccountFacts): Promise<readonly Difference[]> {
  const { bucket, account } = facts
  const late = await run(sql, listLateHours, { cycle, buckets: [bucket] })
  const hours = [cycle, ...late.filter((row) => row.account === account).map(({ hour }) => hour)]
  const damaged: Difference[] = []
  for (const hour of hours) {
    for (const event of await run(sql, listChecksums, { cycle, hour, bucket, account })) {
      if (checksumOf(event) === event.checksum) continue
      const place = `event ${event.id} of source ${event.source}, account ${account}, hour ${formatHour(hour)}`
      damaged.push({ place, detail: 'is not as it was stored: its checksum differs' })
    }
  }
  return damaged
}

/** Levels are kept apart from their events, to find what carries over: both must say the same. */
async function verifyLevels(
  sql: Sql,
  { bucket, account, levels }: AccountFacts,
): Promise<readonly Difference[]> {
  if (levels.length === 0) return []
  const found = await run(sql, findLevels, { bucket, account, levels })
  const kept = new Map(found.map((row) => [row.index, row]))
  return levels.flatMap((level, index) => {
    const is = kept.get(index)
    const place = `level of event ${level.id} of source ${level.source}, account ${account}`
    if (!is) return [{ place, detail: 'is not among the levels that settlement keeps' }]
    if (is.bytes === plain(level.bytes)) return []
    const detail = `is kept as ${countOf(is.bytes, 'byte')}, and should be ${plain(level.bytes)}`
    return [{ place, detail }]
  })
}
