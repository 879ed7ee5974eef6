import { type KeptPriceList, listAccountLists, listPriceLists } from '../../store/price-lists.ts'
import { run, type Sql } from '../../store/query.ts'

/** The newest price lists, by name. @param account whose key asks: it sees the lists that it was ever put on */
export async function visibleLists(
  sql: Sql,
  account: string | null | undefined,
): Promise<readonly KeptPriceList[]> {
  const lists = await run(sql, listPriceLists, { version: null })
  if (account === null || account === undefined) return lists
  const own = new Set((await run(sql, listAccountLists, [account])).map(({ list }) => list))
  return lists.filter(({ name }) => own.has(name))
}
