import Type, { type Static } from 'typebox'
import { Nullable, Text, Time } from '../../api/views.ts'

/** What clients of other systems send and get, for openapi.json. */

export const LagoEvent = Type.Object(
  {
    transaction_id: Type.String({ description: 'The id of the event' }),
    external_subscription_id: Type.String({ description: 'The account' }),
    code: Type.String({ description: 'The type of the event' }),
    timestamp: Type.Optional(
      Type.Union([Type.Integer(), Type.String()], { description: 'Seconds since 1970' }),
    ),
    properties: Type.Optional(Type.Object({}, { additionalProperties: true })),
  },
  { additionalProperties: true },
)

/** A problem in the shape that Lago's clients read. */
export const LagoProblem = Type.Object({
  status: Type.Integer(),
  error: Text,
  code: Type.String({ description: 'Stable: a code of Farthing, or `validation_errors`' }),
  error_details: Type.Object(
    {},
    { additionalProperties: true, description: 'What is wrong, by field or by the position of the event' },
  ),
})

export const Meter = Type.Object({
  id: Type.String({ description: 'The slug' }),
  slug: Type.String({ description: 'An item of the price book, or item.rate' }),
  name: Text,
  description: Text,
  aggregation: Type.Enum(['SUM', 'COUNT']),
  eventType: Type.String({ description: 'A type of the events that it counts' }),
  valueProperty: Type.Optional(Type.String({ description: 'Where their data has the quantity' })),
  groupBy: Type.Record(Type.String(), Type.String()),
  metadata: Type.Record(Type.String(), Type.String()),
  createdAt: Type.String({ format: 'date-time', description: 'When the newest price book was published' }),
  updatedAt: Time,
})
export type Meter = Static<typeof Meter>

export const MeterRow = Type.Object({
  value: Type.Number({ description: 'The billed quantity, with all its digits' }),
  windowStart: Time,
  windowEnd: Time,
  subject: Nullable,
  groupBy: Type.Object({}, { additionalProperties: Nullable }),
})

export const WindowSize = Type.Enum(['HOUR', 'DAY', 'MONTH'])

export const StripeMeterEvent = Type.Object({
  object: Type.Literal('billing.meter_event'),
  created: Type.Integer({ description: 'Seconds since 1970' }),
  event_name: Type.String(),
  identifier: Type.String(),
  livemode: Type.Boolean(),
  payload: Type.Object({}, { additionalProperties: Type.String() }),
  timestamp: Type.Integer({ description: 'Seconds since 1970' }),
})

/** A problem in the shape that Stripe's clients read. */
export const StripeProblem = Type.Object({
  error: Type.Object({
    type: Type.Enum([
      'api_error',
      'authentication_error',
      'idempotency_error',
      'invalid_request_error',
      'rate_limit_error',
    ]),
    code: Type.String({ description: 'Stable: a code of Farthing' }),
    message: Text,
  }),
})
