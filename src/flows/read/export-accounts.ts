import { groupBy } from '../../core/group-by.ts'
import { bucketOf } from '../../core/ingest/bucket.ts'
import { accountCalendar, type Calendar } from '../../core/time/calendar.ts'
import type { Hour } from '../../core/time/hour.ts'
import type { Month } from '../../core/time/zone-month.ts'
import { listExportedAccounts } from '../../store/exported-bills.ts'
import { listAccountMonths } from '../../store/rate-positions.ts'
import { run, type Sql } from '../../store/query.ts'
import { offsetAt } from '../accounts/time-zones.ts'

/** Accounts whose names and calendars an export keeps in memory. */
const EXPORT_ACCOUNTS_KEPT = 2000

/** What an export says of an account. */
export interface AccountFacts {
  /** Null: it has none. */
  readonly name: string | null
  readonly calendar: Calendar
}

/** Names and calendars of accounts, read when they are first asked for. */
export function accountFacts(
  sql: Sql,
): (accounts: readonly string[]) => Promise<ReadonlyMap<string, AccountFacts>> {
  const known = new Map<string, AccountFacts>()
  return async (accounts) => {
    const missing = [...new Set(accounts)].filter((account) => !known.has(account))
    if (missing.length === 0) return known
    if (known.size > EXPORT_ACCOUNTS_KEPT) known.clear()
    // After the clearing, those that were known are missing, too.
    const wanted = [...new Set(accounts)].filter((account) => !known.has(account))
    const profiles = new Map((await run(sql, listExportedAccounts, wanted)).map((row) => [row.account, row]))
    const keys = wanted.map((account) => ({ account, bucket: bucketOf(account) }))
    const months = groupBy(await run(sql, listAccountMonths, keys), ({ account }) => account)
    for (const account of wanted) {
      const profile = profiles.get(account)
      const firsts = (months.get(account) ?? []).map(({ month, first }) => [month, first] as const)
      const calendar = accountCalendar(profile?.timeZones ?? [], new Map<Month, Hour>(firsts), offsetAt)
      known.set(account, { name: profile?.name ?? null, calendar })
    }
    return known
  }
}
