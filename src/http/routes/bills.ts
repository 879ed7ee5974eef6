import { Readable } from 'node:stream'
import { parseBillId } from '../../core/bill/bill-id.ts'
import { billHeadView, lineView } from '../../core/present/bill-view.ts'
import { findBill, listBills, listLines } from '../../flows/read/read-bills.ts'
import type { Key } from '../../flows/keys/key-scopes.ts'
import type { StoredBill } from '../../store/bill-row.ts'
import type { Sql } from '../../store/query.ts'
import { GetBill, GetBillLines, GetBills } from '../../api/bills.ts'
import { PAGE, PAGE_MAX } from '../../api/parameters.ts'
import { accountOf, sees } from '../access.ts'
import { readCursor, writeCursor } from '../api/cursor.ts'
import { HttpProblem } from '../api/problem.ts'
import { readHourRange } from '../api/parameters.ts'
import { route } from '../route.ts'
import { hasUnchanging } from '../unchanged.ts'

export const READ_BILLS = { scope: 'bills:read', boundKeys: 'own' } as const
export const getBills = route({
  ...GetBills,
  access: READ_BILLS,
  async handle({ query, key }, { reading }) {
    const account = accountOf(key, query.account)
    const after = readCursor('bills', ['hour', 'bucket', 'text'], query.cursor)
    const { limit = PAGE } = query
    const page = await listBills(reading, { account, ...readHourRange(query), after, limit })
    return { items: page.items.map(billHeadView), next: writeCursor('bills', page.next) }
  },
})

export const getBill = route({
  ...GetBill,
  access: READ_BILLS,
  async handle({ params, key, request, reply }, { reading }) {
    const bill = await requireBill(reading, params.id, key)
    if (hasUnchanging({ request, reply }, bill.digest)) return reply.code(304).send()
    const chunks = billChunks(reading, bill)
    const body = bill.lineCount > PAGE_MAX ? Readable.from(chunks) : await joined(chunks)
    return reply.type('application/json; charset=utf-8').send(body)
  },
})

export const getBillLines = route({
  ...GetBillLines,
  access: READ_BILLS,
  async handle({ params, query, key, request, reply }, { reading }) {
    const bill = await requireBill(reading, params.id, key)
    const [after] = readCursor('lines', ['number'], query.cursor) ?? [0]
    if (hasUnchanging({ request, reply }, bill.digest)) return reply.code(304).send()
    const page = await listLines(reading, bill, after, query.limit ?? PAGE)
    const next = writeCursor('lines', page.next === null ? null : [page.next])
    return { items: page.items.map((line) => lineView(bill.hour, line)), next }
  },
})

/**
 * Throws the same 404 for a text that is no id, a bill that there is not, and one of another account: for a key of another
 * account without a look at the database, so that not even the time of the answer tells whether there is such a bill.
 */
export async function requireBill(sql: Sql, id: string, key: Key | undefined): Promise<StoredBill> {
  const named = parseBillId(id)
  const bill = named && sees(key, named.account) ? await findBill(sql, named) : undefined
  if (bill) return bill
  throw new HttpProblem('bill/not_found', 'There is no bill with this id: see /v1/bills for those there are.')
}

/** The bill as JSON, piece by piece: a large account has hundreds of thousands of lines. Bills never change. */
async function* billChunks(sql: Sql, bill: StoredBill): AsyncGenerator<string> {
  yield `${JSON.stringify(billHeadView(bill)).slice(0, -1)},"lines":[`
  let after: number | null = 0
  while (after !== null) {
    const page = await listLines(sql, bill, after, PAGE_MAX)
    const lines = page.items.map((line) => JSON.stringify(lineView(bill.hour, line)))
    yield (after === 0 ? '' : ',') + lines.join(',')
    after = page.next
  }
  yield ']}'
}

async function joined(chunks: AsyncIterable<string>): Promise<string> {
  let text = ''
  for await (const chunk of chunks) text += chunk
  return text
}
