import { Readable } from 'node:stream'
import Type from 'typebox'
import { billHeadView, lineView } from '../../core/present/bill-view.ts'
import { findBill, listBills, listLines } from '../../flows/read/read-bills.ts'
import type { Key } from '../../flows/keys/key-scopes.ts'
import type { StoredBill } from '../../store/bill-row.ts'
import type { Sql } from '../../store/query.ts'
import { accountOf, sees } from '../access.ts'
import { readCursor, writeCursor } from '../api/cursor.ts'
import {
  optionalText,
  optionalTime,
  PAGE,
  PAGE_MAX,
  PageParameters,
  readHourRange,
} from '../api/parameters.ts'
import { HttpProblem } from '../api/problem.ts'
import { pageOf, route } from '../route.ts'
import { BillHeadView, BillView, LineView } from '../api/views.ts'

export const READ_BILLS = { scope: 'bills:read', boundKeys: 'own' } as const
export const BillId = Type.String({ description: 'As bills show it', examples: ['2025-07-28T03Z.acme'] })

export const getBills = route({
  method: 'GET',
  url: '/v1/bills',
  access: READ_BILLS,
  summary: 'Bills by the start of their cycle, oldest first, without their lines',
  query: Type.Object({
    account: optionalText('Only bills of this account'),
    from: optionalTime('Only cycles that start at this time or later'),
    to: optionalTime('Only cycles that start before this time'),
    ...PageParameters,
  }),
  answers: { 200: pageOf(BillHeadView) },
  async handle({ query, key }, { reading }) {
    const account = accountOf(key, query.account)
    const after = readCursor('bills', ['int', 'int', 'string'], query.cursor)
    const { limit = PAGE } = query
    const page = await listBills(reading, { account, ...readHourRange(query), after, limit })
    return { items: page.items.map(billHeadView), next: writeCursor('bills', page.next) }
  },
})

export const getBill = route({
  method: 'GET',
  url: '/v1/bills/:id',
  access: READ_BILLS,
  summary: 'One bill with all its lines',
  params: Type.Object({ id: BillId }),
  answers: { 200: BillView },
  async handle({ params, key, reply }, { reading }) {
    const bill = await requireBill(reading, params.id, key)
    return reply.type('application/json; charset=utf-8').send(Readable.from(billChunks(reading, bill)))
  },
})

export const getBillLines = route({
  method: 'GET',
  url: '/v1/bills/:id/lines',
  access: READ_BILLS,
  summary: 'The lines of a bill, in their order',
  params: Type.Object({ id: BillId }),
  query: Type.Object(PageParameters),
  answers: { 200: pageOf(LineView) },
  async handle({ params, query, key }, { reading }) {
    const bill = await requireBill(reading, params.id, key)
    const [after] = readCursor('lines', ['int'], query.cursor) ?? [0]
    const page = await listLines(reading, bill, after, query.limit ?? PAGE)
    const next = writeCursor('lines', page.next === null ? null : [page.next])
    return { items: page.items.map((line) => lineView(bill.hour, line)), next }
  },
})

/** Throws the same 404 for a text that is no id, a bill that there is not, and one of another account. */
export async function requireBill(sql: Sql, id: string, key: Key | undefined): Promise<StoredBill> {
  const bill = await findBill(sql, id)
  if (bill && sees(key, bill.account)) return bill
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
