import Type, { type TSchema } from 'typebox'

/** Items of a page, at most and unless told. */
export const PAGE_MAX = 1000
export const PAGE = 100

/** A schema of one parameter with what to do when a value does not fit: the end of the message. */
export function parameter<Schema extends TSchema>(schema: Schema, fix: string): Schema {
  return { ...schema, 'x-fix': fix }
}

/** Of a parameter that is said or not. */
export const Flag = parameter(Type.Enum(['true', 'false']), 'send true, or leave it out')

/** Read by `readInstant`, which also takes a UTC hour or day: hence without `format`. */
export const TimeParameter = parameter(
  Type.String({ minLength: 1, examples: ['2025-07-28T03:00:00Z', '2025-07-28T03Z', '2025-07-28'] }),
  'send an RFC 3339 time such as 2025-07-28T03:00:00Z',
)

export const PageParameters = {
  limit: Type.Optional(
    parameter(
      Type.Integer({ minimum: 1, maximum: PAGE_MAX, default: PAGE, description: 'Items in this page' }),
      `send a whole number from 1 to ${PAGE_MAX}`,
    ),
  ),
  cursor: Type.Optional(
    parameter(
      Type.String({ minLength: 1, description: 'The `next` of the page before' }),
      'send the `next` of the page before, unchanged',
    ),
  ),
}

export function optionalText(description: string) {
  return Type.Optional(parameter(Type.String({ minLength: 1, description }), 'leave it out, or send a value'))
}

export function optionalTime(description: string) {
  return Type.Optional({ ...TimeParameter, description })
}
