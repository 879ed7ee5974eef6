import Type from 'typebox'
import { BillId } from './bills.ts'
import { endpoint, pageOf, type ValueOf } from './endpoint.ts'
import { PageParameters, parameter } from './parameters.ts'
import { Decimal, Nullable, SentEvent, Text, Time } from './views.ts'

const Voided = Type.Boolean({
  description: 'It was voided: the line gives it back, in negative quantities',
})
const VoidedLevel = Type.Boolean({
  description: 'The line reverses it. Its quantity is 0: what it came to was billed before',
})

export const LineEvent = Type.Object({
  kind: Type.Literal('event'),
  voided: Voided,
  event: SentEvent,
  receivedAt: Time,
  quantity: Decimal,
  waived: Decimal,
})
export type LineEvent = ValueOf<typeof LineEvent>

export const LineLevel = Type.Object({
  kind: Type.Literal('level'),
  voided: VoidedLevel,
  id: Text,
  source: Text,
  time: Time,
  dataset: Nullable,
  bytes: Decimal,
  from: Time,
  to: Time,
  quantity: Decimal,
})
export type LineLevel = ValueOf<typeof LineLevel>

export const LineBilled = Type.Object({
  kind: Type.Literal('billed'),
  bill: Text,
  line: Type.Integer({ description: 'The number of its line' }),
  issuedAt: Time,
  quantity: Type.String({ description: 'The opposite of what that line says: this one corrects it' }),
})
export type LineBilled = ValueOf<typeof LineBilled>

export const GetLineEvents = endpoint({
  method: 'GET',
  url: '/v1/bills/:id/lines/:number/events',
  tag: 'Bills',
  summary:
    'The usage events behind a line; for storage, the levels in force in its hour, and what was billed before',
  description:
    'Gives what a line is made of, by page. Over all pages the quantities add up to the line. A page may be short, even empty, and still have a `next`.',
  params: Type.Object({
    id: BillId,
    number: parameter(
      Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 }),
      'send the number of a line, from 1',
    ),
  }),
  query: Type.Object(PageParameters),
  answers: { 200: pageOf(Type.Union([LineEvent, LineLevel, LineBilled])) },
})
