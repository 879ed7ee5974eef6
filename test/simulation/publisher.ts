import type pg from 'pg'
import { publishPriceBook } from '../../src/flows/prices/publish-price-book.ts'
import { ProcessDied } from './dying-pool.ts'
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
    const table = remaining.shift()?.(tables.at(-1)!)
    if (table === undefined) return
    const answer = await untilAnswered(pool, table)
    if (answer.ok && answer.version === tables.length + 1) tables.push(table)
    else if (answer.ok || answer.code !== 'price_book/changes_past') throw new Error(JSON.stringify(answer))
  }
  return { next, tables }
}

async function untilAnswered(pool: pg.Pool, table: PriceTable) {
  const source = Buffer.from(priceBookText(table))
  const request = { source, file: 'book.json', actor: 'key_test', dryRun: false, basedOn: undefined }
  for (;;) {
    try {
      return await publishPriceBook(pool, request)
    } catch (error) {
      if (!(error instanceof ProcessDied)) throw error
    }
  }
}
