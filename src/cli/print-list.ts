import { CommandFailed, EXIT } from './command-failed.ts'

/** Rows of a table unless told: more than a month of hours. */
export const LIMIT = 1000

/** `--limit`: a whole number from 1, or `all`. */
export function readLimit(text: string): number {
  if (text === 'all') return Number.POSITIVE_INFINITY
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new CommandFailed(`--limit is ${text}: write a number from 1, or all.`, EXIT.usage)
}

/** The items as NDJSON, each as soon as it is there: what the API's pages hold, one a line. */
export async function printItems(items: AsyncIterable<unknown>): Promise<void> {
  for await (const item of items) process.stdout.write(`${JSON.stringify(item)}\n`)
}

/** What a table shows: at most `limit` items, and whether there are more. */
export interface Listed<Item> {
  readonly items: readonly Item[]
  readonly isCut: boolean
}

/** @param items of which one more than `limit` was asked for */
export async function takeItems<Item>(items: AsyncIterable<Item>, limit: number): Promise<Listed<Item>> {
  const taken: Item[] = []
  for await (const item of items) {
    if (taken.length === limit) return { items: taken, isCut: true }
    taken.push(item)
  }
  return { items: taken, isCut: false }
}

export const CUT_NOTE = 'There are more: --limit all lists them.'
