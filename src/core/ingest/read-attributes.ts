import type { Json } from '../text/canonical-json.ts'
import { reject, type Rejection } from './rejection.ts'

export type Attributes = { readonly [name: string]: Json }

/** CloudEvents 1.0.2, 3.1: lower-case letters and digits of ASCII. */
const NAME = /^[a-z0-9]+$/
/** The integers of CloudEvents have 32 bits. */
const LARGEST_INTEGER = 2 ** 31 - 1
/** Attributes of the specification that are kept with an event like its extensions, and are texts. */
const TEXTS: ReadonlySet<string> = new Set(['datacontenttype', 'dataschema'])

/** Attributes that say something themselves, and are read as such. */
const READ: ReadonlySet<string> = new Set(
  'specversion id source type subject time data data_base64'.split(' '),
)
const NONE: Attributes = {}

/**
 * The further attributes of an event that have a value: null is as good as absent. Extensions are booleans, integers
 * or texts (CloudEvents 1.0.2, 3.1.1), and kept as such.
 * @returns `event/invalid_attribute` for another name or type
 */
export function readAttributes(all: Attributes): Attributes | Rejection {
  let present: [string, Json][] | undefined
  for (const name of Object.keys(all)) {
    if (READ.has(name)) continue
    const value = all[name]!
    if (value === null) continue
    const refusal = refuseAttribute(name, value)
    if (refusal) return refusal
    present ??= []
    present.push([name, value])
  }
  // By entries: an attribute called constructor is an attribute.
  return present ? Object.fromEntries(present) : NONE
}

function refuseAttribute(name: string, value: Json): Rejection | undefined {
  const shown = name.length > 40 ? `${name.slice(0, 40)}…` : name
  if (!NAME.test(name)) {
    const what = `The attribute ${JSON.stringify(shown.toWellFormed())} has a name that CloudEvents does not allow`
    return reject('event/invalid_attribute', `${what}: use a to z and 0 to 9 only, or put it into data.`)
  }
  if (TEXTS.has(name)) {
    return typeof value === 'string'
      ? undefined
      : reject('event/invalid_attribute', `${name} is not a string: send it as one.`)
  }
  if (typeof value === 'string' || typeof value === 'boolean') return undefined
  if (
    typeof value === 'number' &&
    Number.isInteger(value) &&
    Math.abs(value + 0.5) <= LARGEST_INTEGER + 0.5
  ) {
    return undefined
  }
  const what = `The extension attribute ${shown} is neither a boolean, a string nor an integer of 32 bits`
  return reject('event/invalid_attribute', `${what}: send it as a string, or put it into data.`)
}

/** The media type of data, as the sender states it. */
export function contentTypeOf(attributes: Attributes): string | undefined {
  const type = attributes['datacontenttype']
  return typeof type === 'string' && type !== '' ? type : undefined
}
