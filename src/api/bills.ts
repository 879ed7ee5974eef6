import Type from 'typebox'
import { endpoint, pageOf } from './endpoint.ts'
import { optionalText, optionalTime, PageParameters } from './parameters.ts'
import { BillHeadView, BillView, LineView } from './views.ts'

export const BillId = Type.String({ description: 'As bills show it', examples: ['2025-07-28T03Z.acme'] })

export const GetBills = endpoint({
  method: 'GET',
  url: '/v1/bills',
  summary: 'Bills by the start of their cycle, oldest first, without their lines',
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
  summary: 'One bill with all its lines',
  params: Type.Object({ id: BillId }),
  answers: { 200: BillView },
})

export const GetBillLines = endpoint({
  method: 'GET',
  url: '/v1/bills/:id/lines',
  summary: 'The lines of a bill, in their order',
  params: Type.Object({ id: BillId }),
  query: Type.Object(PageParameters),
  answers: { 200: pageOf(LineView) },
})
