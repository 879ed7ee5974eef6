import { type ListedAccount, listAccountRows, type ListAccountRows } from '../../store/accounts.ts'
import { run, runOne, type Sql } from '../../store/query.ts'
import { type Page, pageOf } from '../shared/page.ts'

export type { ListedAccount } from '../../store/accounts.ts'

/** Accounts that are known or were billed, by name. */
export async function listAccounts(sql: Sql, ask: ListAccountRows): Promise<Page<ListedAccount, string>> {
  const accounts = await run(sql, listAccountRows, { ...ask, limit: ask.limit + 1 })
  return pageOf(accounts, ask.limit, ({ account }) => account)
}

/** One of them; undefined: it is neither known nor was it billed. */
export function findAccount(sql: Sql, account: string): Promise<ListedAccount | undefined> {
  return runOne(sql, listAccountRows, { account, after: undefined, limit: 1 })
}
