import { statementMonth } from '../../core/bill/statement-month.ts'
import { type Hour, startOf } from '../../core/time/hour.ts'
import { monthEverywhere } from '../../core/time/zone-month.ts'
import { listTimeZones } from '../../store/accounts.ts'
import { run, type Sql } from '../../store/query.ts'
import { offsetAt } from './time-zones.ts'

/** In which month's statement the bills of an hour are, by account. Near the end of a month that depends on time zones. */
export async function statementMonths(
  sql: Sql,
  hour: Hour,
  accounts: readonly { readonly account: string }[],
): Promise<(account: string) => string> {
  const utc = statementMonth(hour)
  if (monthEverywhere(startOf(hour)) !== undefined) return () => utc
  const names = accounts.map(({ account }) => account)
  const rows = await run(sql, listTimeZones, names)
  const months = new Map(
    rows.map(({ account, timeZones }) => [account, statementMonth(hour, timeZones, offsetAt)]),
  )
  return (account) => months.get(account) ?? utc
}
