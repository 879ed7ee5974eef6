import type { TObject, TSchema, Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { nearest } from '../../core/text/nearest.ts'
import { formatHour, type Hour, hourOf, MILLISECONDS_PER_HOUR, startOf } from '../../core/time/hour.ts'
import { formatInstant, type Instant } from '../../core/time/instant.ts'
import { parseTime, TIME_FIX } from '../../core/time/time-forms.ts'
import { HttpProblem, shown } from './problem.ts'

/** Characters of one parameter: an account or id of 512 bytes has at most as many. */
const VALUE_LENGTH_MAX = 2048
/** Characters of a cursor: the texts of a position, each as long as it may be, in base64. */
const CURSOR_LENGTH_MAX = 8192

export type Raw = Readonly<Record<string, unknown>>

/**
 * Makes the reader of a request's parameters: each named in the schema, once unless it is a list, and of its form. A message names
 * the parameter, shows the value and says what to send.
 */
export function parameterReader<Schema extends TObject>(schema: Schema): (raw: Raw) => Static<Schema> {
  const validator = Compile(schema)
  const properties = schema.properties as Readonly<Record<string, TSchema & { 'x-fix'?: string }>>
  const names = Object.keys(properties)
  const required = new Set<string>((schema.required as readonly string[] | undefined) ?? [])
  return (raw) => {
    if (isEmpty(raw) && required.size === 0) return NONE as Static<Schema>
    const unknown = Object.keys(raw).find((name) => !Object.hasOwn(properties, name))
    if (unknown !== undefined) throw unknownParameter(unknown, names)
    const values = Object.fromEntries(
      Object.entries(raw).map(([name, value]) => [name, readValue(name, value, properties[name]!)]),
    )
    const missing = names.find((name) => required.has(name) && values[name] === undefined)
    if (missing !== undefined) throw missingParameter(missing, properties[missing]!)
    const [error] = validator.Errors(values)
    if (error === undefined) return values as Static<Schema>
    const name = error.instancePath.split('/')[1] ?? ''
    throw invalidParameter(name, String(values[name]), properties[name]?.['x-fix'] ?? error.message)
  }
}

type Validator = (raw: unknown) => { readonly value: object } | { readonly error: HttpProblem }

/** A schema has one, however many routes share it. */
const validators = new WeakMap<TObject, Validator>()

/** `parameterReader` as Fastify calls it. */
export function validatorOf(schema: TObject): Validator {
  const known = validators.get(schema)
  if (known) return known
  const read = parameterReader(schema)
  const validator: Validator = (raw) => {
    try {
      return { value: read(raw as Raw) }
    } catch (error) {
      if (error instanceof HttpProblem) return { error }
      throw error
    }
  }
  validators.set(schema, validator)
  return validator
}

/** What most requests that send usage have. */
const NONE = Object.freeze({})

function isEmpty(raw: Raw): boolean {
  for (const _ in raw) return false
  return true
}

/** A parameter that is a list has its values one by one: `name=a&name=b`. */
function readValue(name: string, value: unknown, schema: TSchema): unknown {
  const { type, items } = schema as { type?: string; items?: TSchema }
  if (type === 'array' && items) return [value].flat().map((one) => readOne(name, one, items))
  return readOne(name, value, schema)
}

function readOne(name: string, value: unknown, schema: TSchema): unknown {
  if (typeof value !== 'string') {
    const detail = `The parameter ${name} is there more than once: send it once.`
    throw new HttpProblem('request/invalid_parameter', detail)
  }
  const most = name === 'cursor' ? CURSOR_LENGTH_MAX : VALUE_LENGTH_MAX
  if (value.length > most || value.includes('\0')) {
    throw invalidParameter(name, value, 'send a shorter text without U+0000')
  }
  const isInteger = (schema as { type?: string }).type === 'integer'
  return isInteger && /^\d{1,15}$/.test(value) ? Number(value) : value
}

function unknownParameter(name: string, known: readonly string[]): HttpProblem {
  const meant = nearest(name, known)
  const advice = meant
    ? `did you mean ${meant}?`
    : known.length > 0
      ? `send only ${known.join(', ')}.`
      : 'send none here.'
  return new HttpProblem('request/unknown_parameter', `There is no parameter ${shown(name)}: ${advice}`)
}

function missingParameter(name: string, schema: TSchema & { 'x-fix'?: string }): HttpProblem {
  const fix = schema['x-fix'] ?? 'send it'
  return new HttpProblem('request/missing_parameter', `The parameter ${name} is missing: ${fix}.`)
}

export function invalidParameter(name: string, value: string, fix: string): HttpProblem {
  return new HttpProblem('request/invalid_parameter', `${name} is ${shown(value)}: ${fix}.`)
}

/** An instant, in any of TIME_FORMS. */
export function readInstant(name: string, text: string): Instant {
  const at = parseTime(text)
  if (typeof at === 'number') return at
  const isPlus = /T.* \d{2}:\d{2}$/i.test(text)
  const fix = isPlus ? 'write the + of the offset as %2B' : `send ${TIME_FIX}`
  throw invalidParameter(name, text, fix)
}

/** Hours of years 1 to 9999: what a time parameter can say. */
const FIRST = hourOf(Date.UTC(1970, 0, 1) as Instant)
export const LAST_HOUR = hourOf(Date.UTC(9999, 11, 31, 23) as Instant)

export interface HourRange {
  /** Hours that start in [from, to). */
  readonly from: Hour
  readonly to: Hour
}

/** The hours that start in [from, to); without a bound, all of them. */
export function readHourRange(query: { from?: string; to?: string }): HourRange {
  const from = query.from === undefined ? FIRST : hourFrom('from', query.from)
  const to = query.to === undefined ? LAST_HOUR : hourFrom('to', query.to)
  if (from <= to) return { from, to }
  throw invalidParameter('to', query.to ?? formatInstant(startOf(to)), 'send a time that is not before from')
}

/** The first hour that starts at or after a time. */
function hourFrom(name: string, text: string): Hour {
  const hour = Math.ceil(readInstant(name, text) / MILLISECONDS_PER_HOUR) as Hour
  return Math.min(Math.max(hour, FIRST), LAST_HOUR) as Hour
}

/** The hours of a range of at most `hoursMax`. */
export function requireShort({ from, to }: HourRange, hoursMax: number, text: string): void {
  if (to - from <= hoursMax) return
  const range = `${formatHour(from)} to ${formatHour(to)}`
  throw new HttpProblem('request/range_too_long', `The range is ${range}: ask for at most ${text} at once.`)
}
