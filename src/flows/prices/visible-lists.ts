import { type KeptPriceList, listAccountLists, listPriceLists } from '../../store/price-lists.ts'
import { run, type Sql } from '../../store/query.ts'

/**
 * The price lists of a version of the prices, by name.
 * @param account whose key asks: it sees the lists that it was ever put on
 * @param version undefined: the newest
 */
export async function visibleLists(
  sql: Sql,
  account: string | null | undefined,
  version?: number,
): Promise<readonly KeptPriceList[]> {
  const lists = await run(sql, listPriceLists, { version: version ?? null })
  if (account === null || account === undefined) return lists
  const own = new Set((await run(sql, listAccountLists, [account])).map(({ list }) => list))
  return lists.filter(({ name }) => own.has(name))
}
