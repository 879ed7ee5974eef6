import { type AccountChange, type AccountRefused, refuseAccount, refuseChange } from './refuse-account.ts'
import type pg from 'pg'
import { bucketOf } from '../../core/ingest/bucket.ts'
import { EARLIEST, FUTURE_MS_MAX } from '../../core/ingest/accept.ts'
import { canonicalJson } from '../../core/text/canonical-json.ts'
import { formatHourStart } from '../../core/time/hour.ts'
import { formatInstant, type Instant } from '../../core/time/instant.ts'
import { withZone, type ZoneHistory } from '../../core/time/zone-history.ts'
import { type Month, monthOfUtc, UTC } from '../../core/time/zone-month.ts'
import { throughGate } from '../../store/gate.ts'
import type { AccountProfile, Profile } from '../../store/account-profile.ts'
import {
  insertAccountProfile,
  lockAccountProfile,
  updateAccountClosing,
  updateAccountProfile,
} from '../../store/accounts.ts'
import { insertAuditEntry } from '../../store/audit.ts'
import type { Watermarks } from '../../store/deployment.ts'
import { findAnyUsage } from '../../store/price-lists.ts'
import { run, runOne, type Sql } from '../../store/query.ts'
import { transaction } from '../../store/transaction.ts'
import { readWatermarks } from '../shared/read-deployment.ts'
import { type AssignedLists, assignLists } from './assign-lists.ts'
import { offsetAt, readTimeZone } from './time-zones.ts'

export type PutAccount =
  { readonly ok: true; readonly profile: AccountProfile; readonly isNew: boolean } | AccountRefused

/**
 * Make an account known, and say something about it. A closing holds the gate alone: every event that is committed
 * afterwards has been judged by it, in any process. What the account stores is ended apart: see `endLevels`. So do price
 * lists and time zones: behind the gate it is certain whether the account has any usage.
 * @param actor who does it, for the audit log
 */
export async function putAccount(
  pool: pg.Pool,
  actor: string,
  account: string,
  change: AccountChange,
): Promise<PutAccount> {
  const refused = refuseAccount(account) ?? refuseChange(change)
  if (refused) return refused
  const put = (sql: Sql) => putInside(sql, actor, account, change)
  const isAlone = [change.closedAt, change.priceLists, change.timeZone].some((part) => part !== undefined)
  return isAlone ? throughGate(pool, 'alone', put) : transaction(pool, put)
}

async function putInside(
  sql: Sql,
  actor: string,
  account: string,
  change: AccountChange,
): Promise<PutAccount> {
  const watermarks = await readWatermarks(sql)
  const { now } = watermarks
  const refused = refuseClosing(change.closedAt, now)
  if (refused) return refused
  const wanted = change.priceLists
  const lists = wanted && (await assignLists(sql, watermarks, { account, wanted, actor }))
  if (lists?.ok === false) return lists
  const added = await runOne(sql, insertAccountProfile, { account, bucket: bucketOf(account) })
  const before = (await runOne(sql, lockAccountProfile, { account }))!
  const timeZones = await changedZones(sql, watermarks, { account, before, timeZone: change.timeZone })
  const after = changed(before, change, timeZones)
  if (canonicalJson(textsOf(after)) !== canonicalJson(textsOf(before))) {
    await run(sql, updateAccountProfile, { ...after, account })
  }
  if (after.closedAt !== before.closedAt)
    await run(sql, updateAccountClosing, { account, closedAt: after.closedAt })
  const detail = detailOf(before, after, added !== undefined, lists && listsDetail(lists))
  await run(sql, insertAuditEntry, { actor, act: 'account/put', account, detail })
  const profile = (await runOne(sql, lockAccountProfile, { account }))!
  return { ok: true, profile, isNew: added !== undefined }
}

/** An instant that clocks may already show somewhere, and not before usage can be. */
function refuseClosing(closedAt: Instant | null | undefined, now: Instant): AccountRefused | undefined {
  if (closedAt === undefined || closedAt === null) return undefined
  if (closedAt > now + FUTURE_MS_MAX) {
    const detail = `closed is over 5 minutes later than now (${formatInstant(now)}): close the account when its time has come.`
    return { ok: false, code: 'account/closed_in_future', detail }
  }
  if (closedAt >= EARLIEST) return undefined
  const detail = `closed is before ${formatInstant(EARLIEST)}, and usage cannot be: send a later time.`
  return { ok: false, code: 'account/closed_too_early', detail }
}

type Described = Profile & Pick<AccountProfile, 'closedAt'>

function changed(before: AccountProfile, change: AccountChange, timeZones: ZoneHistory): Described {
  const { name = before.name, tags = before.tags, closedAt = before.closedAt } = change
  return { name, tags: tags ?? {}, timeZones, closedAt }
}

/** Without usage there is no bill whose month could change: the zone counts for all months, those of imports too. */
async function changedZones(
  sql: Sql,
  watermarks: Watermarks,
  { account, before, timeZone }: ZoneWish,
): Promise<ZoneHistory> {
  const { timeZones } = before
  const read = timeZone === undefined ? undefined : readTimeZone(timeZone ?? UTC)
  if (!read?.ok) return timeZones
  const { settledUntil, now } = watermarks
  const hasUsage = await runOne(sql, findAnyUsage, { account, bucket: bucketOf(account), settledUntil })
  if (hasUsage) return withZone(timeZones, read.zone, now, offsetAt)
  return read.zone === UTC ? [] : [{ fromMonth: FIRST_MONTH, zone: read.zone }]
}

interface ZoneWish {
  readonly account: string
  readonly before: AccountProfile
  readonly timeZone: string | null | undefined
}

/** The one in which the earliest usage may be, in every zone. */
const FIRST_MONTH = (monthOfUtc(EARLIEST) - 1) as Month

/** What can change, as texts that people and the audit log can read. */
function textsOf({ name, tags, timeZones, closedAt }: Described) {
  return {
    name: name === null ? 'none' : JSON.stringify(name),
    'time zone': timeZones.at(-1)?.zone ?? 'UTC',
    tags: canonicalJson(tags),
    closed: closedAt === null ? 'no' : formatInstant(closedAt),
  }
}

/** `made known; name "Acme" (was none); closed 2025-07-28T03:00:00.000Z (was no)`. */
function detailOf(before: Described, after: Described, isNew: boolean, lists: string | undefined): string {
  const [was, is] = [textsOf(before), textsOf(after)]
  const names = Object.keys(is) as (keyof typeof is)[]
  const changes = names
    .filter((name) => is[name] !== was[name])
    .map((name) => `${name} ${is[name]} (was ${was[name]})`)
  const parts = [...(isNew ? ['made known'] : []), ...changes, ...(lists ? [lists] : [])]
  return parts.length === 0 ? 'nothing changed' : parts.join('; ')
}

/** `price lists acme from 2027-01-01T00:00:00Z (was none)`; undefined: they are the same. */
function listsDetail({ before, after }: Extract<AssignedLists, { readonly ok: true }>): string | undefined {
  const [was, is] = [before, after].map(
    (lists) =>
      lists.map(({ list, from }) => `${list ?? 'public prices'} from ${formatHourStart(from)}`).join(', ') ||
      'none',
  )
  return was === is ? undefined : `price lists ${is} (was ${was})`
}
