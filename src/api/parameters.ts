import Type, { type TSchema } from 'typebox'
import { TIME_FIX, TIME_FORMS } from '../core/time/time-forms.ts'

/** Items of a page, at most and unless told. */
export const PAGE_MAX = 1000
export const PAGE = 100

/** A schema of one parameter with what to do when a value does not fit: the end of the message. */
export function parameter<Schema extends TSchema>(schema: Schema, fix: string): Schema {
  return { ...schema, 'x-fix': fix }
}

/** Of a parameter that is said or not. */
export const Flag = parameter(Type.Enum(['true', 'false']), 'send true, or leave it out')

/** Read by `readInstant`, in any of TIME_FORMS: hence without `format`. */
export const TimeParameter = parameter(
  Type.String({ minLength: 1, examples: TIME_FORMS.map(({ example }) => example).toReversed() }),
  `send ${TIME_FIX}`,
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
