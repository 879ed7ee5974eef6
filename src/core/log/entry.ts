import { type Hour, formatHourStart } from '../time/hour.ts'
import { quoted } from '../text/canonical-json.ts'
import type { HashBytes } from './tree-hash.ts'

/** What a leaf is of, by the first byte of its entry. Never renumbered. */
export const ENTRY = {
  bill: 1,
  hoursWithoutBill: 2,
  statement: 3,
  priceVersion: 4,
  auditEntry: 5,
  settlementSummary: 6,
  continuation: 7,
} as const
export type EntryType = (typeof ENTRY)[keyof typeof ENTRY]

/** Bytes of a salt. */
export const SALT_BYTES = 32

/** An entry of the log: its type, and the salted digest, which nobody can guess. */
export function entryOf(type: EntryType, salt: Uint8Array, digest: Uint8Array, hash: HashBytes): Uint8Array {
  const salted = new Uint8Array(salt.length + digest.length)
  salted.set(salt)
  salted.set(digest, salt.length)
  const entry = new Uint8Array(33)
  entry[0] = type
  entry.set(hash(salted), 1)
  return entry
}

/** An entry as C2SP tlog-tiles bundles it: its length in 2 bytes, then its bytes. */
export function bundled(entries: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(entries.reduce((sum, entry) => sum + 2 + entry.length, 0))
  let at = 0
  for (const entry of entries) {
    bytes[at] = entry.length >> 8
    bytes[at + 1] = entry.length & 0xff
    bytes.set(entry, at + 2)
    at += 2 + entry.length
  }
  return bytes
}

/** An account-hour that was settled without a bill, as its chunk's digest has it: fields, each ended by U+0000. */
export interface HourWithoutBill {
  readonly account: string
  readonly hour: Hour
  readonly step: number
  readonly priceVersion: number
  /** Hexadecimal. */
  readonly eventsDigest: string
}

export function hourWithoutBillText(one: HourWithoutBill): string {
  return `${one.hour}\0${one.account}\0${one.step}\0${one.priceVersion}\0${one.eventsDigest}\0`
}

export interface LoggedPriceVersion {
  readonly version: number
  /** Of the rule set, hexadecimal. */
  readonly digest: string
  /** The price list that the version brought; null: it brought a price book. */
  readonly list: { readonly name: string; readonly digest: string } | null
}

/** The text whose digest is logged of a price version: RFC 8785. */
export function priceVersionText({ version, digest, list }: LoggedPriceVersion): string {
  const brought = list === null ? 'null' : `{"digest":"${list.digest}","name":${quoted(list.name)}}`
  return `{"digest":"${digest}","list":${brought},"version":${version}}`
}

/** What was settled of a live hour: counts, and exact sums by component. Without bills that backfill brought later. */
export interface SettlementSummary {
  readonly hour: Hour
  readonly bills: number
  readonly lines: number
  readonly currency: string
  readonly total: string
  readonly request: string
  readonly processing: string
  readonly storage: string
}

/** The text whose digest is logged of a settled hour: RFC 8785. */
export function summaryText(one: SettlementSummary): string {
  return (
    `{"bills":${one.bills},"components":{"processing":"${one.processing}","request":"${one.request}"` +
    `,"storage":"${one.storage}"},"currency":${quoted(one.currency)},"hour":"${formatHourStart(one.hour)}"` +
    `,"lines":${one.lines},"total":"${one.total}"}`
  )
}

/** The end of a log that another one continues, and why: the text whose digest is the first leaf of that. RFC 8785. */
export interface Continuation {
  readonly origin: string
  /** The last checkpoint of the old log that the database has; null: it had none. */
  readonly checkpoint: string | null
  /** What the key had signed last, if that is known and was not the same. */
  readonly signed: string | null
  readonly reason: string
}

export function continuationText({ origin, checkpoint, signed, reason }: Continuation): string {
  const nullable = (text: string | null) => (text === null ? 'null' : quoted(text))
  return `{"checkpoint":${nullable(checkpoint)},"origin":${quoted(origin)},"reason":${quoted(reason)},"signed":${nullable(signed)}}`
}
