import { bucketOf } from '../../core/ingest/bucket.ts'
import { formatHourStart, type Hour } from '../../core/time/hour.ts'
import type { ListAssignment } from '../../core/rate/rating/account-prices.ts'
import type { Watermarks } from '../../store/deployment.ts'
import {
  deleteAccountLists,
  findAnyUsage,
  insertAccountLists,
  listAccountLists,
  listPriceLists,
} from '../../store/price-lists.ts'
import { run, runOne, type Sql } from '../../store/query.ts'
import { findFirstOpenHour } from '../shared/first-open-hour.ts'
import type { AccountRefused, WantedList } from './refuse-account.ts'

/** Price lists that an account may be put on, one after the other. */
export const ACCOUNT_LISTS_MAX = 100

export type AssignedLists =
  | {
      readonly ok: true
      readonly before: readonly ListAssignment[]
      readonly after: readonly ListAssignment[]
    }
  | AccountRefused

/**
 * Put an account on price lists. Entries whose hour has begun for it stay as they are: the request has to repeat them, so that
 * one that does not know them is refused. An account without any usage may be put on a list from any hour.
 * @param sql holds the gate alone: the clock and the usage are read behind it
 */
export async function assignLists(
  sql: Sql,
  watermarks: Watermarks,
  { account, wanted, actor }: { account: string; wanted: readonly WantedList[]; actor: string },
): Promise<AssignedLists> {
  const bucket = bucketOf(account)
  const before = await run(sql, listAccountLists, [account])
  const { settledUntil } = watermarks
  const hasUsage = await runOne(sql, findAnyUsage, { account, bucket, settledUntil })
  const open = await findFirstOpenHour(sql, watermarks)
  const from = hasUsage ? open : (0 as Hour)
  const after = fromHours(wanted, open)
  const refused = (await refuseNames(sql, after)) ?? refuseTwice(after) ?? refuseBegun(before, after, from)
  if (refused) return refused
  const lists = after.filter((entry) => entry.from >= from)
  await run(sql, deleteAccountLists, { account, from, lists })
  if (lists.length > 0) await run(sql, insertAccountLists, { account, bucket, from, lists, actor })
  return { ok: true, before, after }
}

/** One entry without `from` begins with the next hour, in the place of one that would have begun then. */
function fromHours(wanted: readonly WantedList[], open: Hour): readonly ListAssignment[] {
  const next = wanted.filter(({ from }) => from === undefined)
  const named = wanted.flatMap(({ list, from }) => (from === undefined ? [] : [{ list, from }]))
  const kept = next.length === 0 ? named : named.filter(({ from }) => from !== open)
  return [...kept, ...next.map(({ list }) => ({ list, from: open }))].toSorted((a, b) => a.from - b.from)
}

async function refuseNames(sql: Sql, lists: readonly ListAssignment[]): Promise<AccountRefused | undefined> {
  const known = new Set((await run(sql, listPriceLists, { version: null })).map(({ name }) => name))
  const unknown = lists.find(({ list }) => list !== null && !known.has(list))
  if (unknown === undefined) return undefined
  const detail = `There is no price list ${JSON.stringify(unknown.list).slice(0, 130)}: publish it first, or see /v1/price-lists.`
  return { ok: false, code: 'account/unknown_price_list', detail }
}

function refuseTwice(lists: readonly ListAssignment[]): AccountRefused | undefined {
  const twice = lists.find(({ from }, index) => lists[index + 1]?.from === from)
  if (twice === undefined && lists.length <= ACCOUNT_LISTS_MAX) return undefined
  const detail = twice
    ? `Two price lists begin at ${formatHourStart(twice.from)}: send each hour once.`
    : `There are ${lists.length} price lists: send at most ${ACCOUNT_LISTS_MAX}.`
  return { ok: false, code: 'account/invalid_price_lists', detail }
}

function refuseBegun(
  before: readonly ListAssignment[],
  after: readonly ListAssignment[],
  open: Hour,
): AccountRefused | undefined {
  const [was, becomes] = [before, after].map((lists) => lists.filter(({ from }) => from < open))
  const isSame = (entry: ListAssignment, other: ListAssignment | undefined) =>
    other !== undefined && entry.from === other.from && entry.list === other.list
  if (was!.length === becomes!.length && was!.every((entry, at) => isSame(entry, becomes![at])))
    return undefined
  const detail = `What begins before ${formatHourStart(open)} has begun for the account and stays: repeat those entries as GET /v1/accounts has them, and let others begin then or later.`
  return { ok: false, code: 'account/price_list_begun', detail }
}
