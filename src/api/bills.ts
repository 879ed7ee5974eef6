import Type from 'typebox'
import { endpoint, pageOf } from './endpoint.ts'
import { optionalText, optionalTime, PageParameters } from './parameters.ts'
import { BillHeadView, BillView, LineView } from './views.ts'

export const BillId = Type.String({ description: 'As bills show it', examples: ['2025-07-28T03Z.acme'] })

export const GetBills = endpoint({
  method: 'GET',
  url: '/v1/bills',
  tag: 'Bills',
  summary: 'Bills by the start of their cycle, oldest first, without their lines',
  description: 'Lists bills without their lines. Bills never change, so pages are never shifted.',
  query: Type.Object({
    account: optionalText('Only bills of this account'),
    from: optionalTime('Only cycles that start at this time or later'),
    to: optionalTime('Only cycles that start before this time'),
    ...PageParameters,
  }),
  answers: { 200: pageOf(BillHeadView) },
})

export const GetBill = endpoint({
  method: 'GET',
  url: '/v1/bills/:id',
  tagged: true,
  tag: 'Bills',
  summary: 'One bill with all its lines',
  description: 'Gives the whole bill, however many lines it has. Its digests are made of this answer.',
  params: Type.Object({ id: BillId }),
  answers: { 200: BillView },
})

export const GetBillLines = endpoint({
  method: 'GET',
  url: '/v1/bills/:id/lines',
  tagged: true,
  tag: 'Bills',
  summary: 'The lines of a bill, in their order',
  description: 'Gives the lines of a bill by page, in the order of their numbers.',
  params: Type.Object({ id: BillId }),
  query: Type.Object(PageParameters),
  answers: { 200: pageOf(LineView) },
})
