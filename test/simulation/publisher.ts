import type pg from 'pg'
import { publishPriceBook } from '../../src/flows/prices/publish-price-book.ts'
import { publishPriceList } from '../../src/flows/prices/publish-price-list.ts'
import { ProcessDied } from './dying-pool.ts'
import { priceListText } from './price-lists.ts'
import { type PriceTable, priceBookText } from './prices.ts'

export interface Publisher {
  /** Publish the next change, if one is left: again and again until there is an answer. */
  readonly next: () => Promise<void>
  /** What was published, version 1 first. Grows. */
  readonly tables: readonly PriceTable[]
}

/** Publishes one change after the other. One that comes too late for its hour is refused, and left out. */
export function publisher(
  pool: pg.Pool,
  first: PriceTable,
  changes: readonly ((before: PriceTable) => PriceTable)[],
): Publisher {
  const tables = [first]
  const remaining = [...changes]
  const next = async () => {
    const before = tables.at(-1)!
    const table = remaining.shift()?.(before)
    if (table === undefined) return
    const answer = await untilAnswered(pool, before, table)
    if (answer.ok && answer.version === tables.length + 1) tables.push(table)
    else if (answer.ok || !answer.code.endsWith('/changes_past')) throw new Error(JSON.stringify(answer))
  }
  return { next, tables }
}

/** Publish the list that is another one, or else the book. */
async function untilAnswered(pool: pg.Pool, before: PriceTable, table: PriceTable) {
  const list = Object.keys(table.lists).find((name) => table.lists[name] !== before.lists[name])
  const source = Buffer.from(list === undefined ? priceBookText(table) : priceListText(list, table))
  const request = { source, file: 'book.json', actor: 'key_test', dryRun: false, basedOn: undefined }
  for (;;) {
    try {
      if (list === undefined) return await publishPriceBook(pool, request)
      return await publishPriceList(pool, { ...request, name: list })
    } catch (error) {
      if (!(error instanceof ProcessDied)) throw error
    }
  }
}
