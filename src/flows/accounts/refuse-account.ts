import type { Instant } from '../../core/time/instant.ts'
import type { Tags } from '../../store/account-profile.ts'
import { ACCOUNT_BYTES_MAX } from '../../core/ingest/read-text.ts'
import { byteLength, refuseText } from '../../core/text/well-formed.ts'
import type { Hour } from '../../core/time/hour.ts'
import { readTimeZone } from './time-zones.ts'

/** What an account shall pay by; without `from`, from the first hour on that has not begun. */
export interface WantedList {
  readonly list: string | null
  readonly from: Hour | undefined
}

/** What is to be said about an account. What is undefined stays as it is. */
export interface AccountChange {
  readonly name?: string | null | undefined
  /** An IANA name; null: UTC. */
  readonly timeZone?: string | null | undefined
  readonly tags?: Tags | null | undefined
  /** Null opens it. */
  readonly closedAt?: Instant | null | undefined
  /** All of them: what has begun has to be repeated. */
  readonly priceLists?: readonly WantedList[] | undefined
}

/** UTF-8 bytes of an account's name for people. */
export const ACCOUNT_NAME_BYTES_MAX = 255
/** Tags of an account. */
export const TAGS_MAX = 50
/** UTF-8 bytes of a tag's name, and of its value. */
export const TAG_NAME_BYTES_MAX = 64
export const TAG_VALUE_BYTES_MAX = 255

export type AccountCode =
  | 'account/invalid_account'
  | 'account/invalid_name'
  | 'account/invalid_tags'
  | 'account/unknown_time_zone'
  | 'account/closed_in_future'
  | 'account/closed_too_early'
  | 'account/unknown_price_list'
  | 'account/invalid_price_lists'
  | 'account/price_list_begun'

export interface AccountRefused {
  readonly ok: false
  readonly code: AccountCode
  readonly detail: string
}

/** Could it be the `subject` of an event? */
export function refuseAccount(account: string): AccountRefused | undefined {
  if (isText(account, ACCOUNT_BYTES_MAX)) return undefined
  const detail = `The account is not 1 to ${ACCOUNT_BYTES_MAX} bytes of text: send the subject of its events.`
  return { ok: false, code: 'account/invalid_account', detail }
}

/** Everything about a change that does not depend on the account or the time. */
export function refuseChange({ name, tags, timeZone }: AccountChange): AccountRefused | undefined {
  if (typeof name === 'string' && (name.trim() === '' || !isText(name, ACCOUNT_NAME_BYTES_MAX))) {
    const detail = `name is not 1 to ${ACCOUNT_NAME_BYTES_MAX} bytes of text: send one, or null for none.`
    return { ok: false, code: 'account/invalid_name', detail }
  }
  return refuseTags(Object.entries(tags ?? {})) ?? refuseTimeZone(timeZone)
}

function refuseTags(tags: readonly (readonly [name: string, value: string])[]): AccountRefused | undefined {
  const code = 'account/invalid_tags'
  if (tags.length > TAGS_MAX) {
    return { ok: false, code, detail: `There are ${tags.length} tags: send at most ${TAGS_MAX}.` }
  }
  for (const [name, value] of tags) {
    if (!isText(name, TAG_NAME_BYTES_MAX)) {
      const detail = `A tag's name is not 1 to ${TAG_NAME_BYTES_MAX} bytes of text: shorten it.`
      return { ok: false, code, detail }
    }
    if (byteLength(value) > TAG_VALUE_BYTES_MAX || refuseText(value)) {
      const detail = `The tag ${JSON.stringify(name)} is longer than ${TAG_VALUE_BYTES_MAX} bytes, or no text that can be stored: shorten it.`
      return { ok: false, code, detail }
    }
  }
  return undefined
}

function refuseTimeZone(name: string | null | undefined): AccountRefused | undefined {
  if (name === undefined || name === null) return undefined
  const read = readTimeZone(name)
  if (read.ok) return undefined
  const advice = read.meant ? `did you mean ${read.meant}?` : 'send an IANA name such as Europe/Paris.'
  const shown = JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name).toWellFormed()
  return { ok: false, code: 'account/unknown_time_zone', detail: `timeZone is ${shown}: ${advice}` }
}

function isText(text: string, bytesMax: number): boolean {
  return text !== '' && byteLength(text) <= bytesMax && refuseText(text) === undefined
}
