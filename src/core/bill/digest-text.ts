import type { UsageEvent } from '../ingest/event.ts'
import { quoted } from '../text/canonical-json.ts'
import { formatHourStart, type Hour, next } from '../time/hour.ts'
import { formatInstant, type Instant } from '../time/instant.ts'
import type { BillHead, BillLine } from './bill.ts'

/**
 * The texts that digests are made of (ARCHITECTURE.md). Lines and bills are RFC 8785: written from a template
 * whose keys are in order already, which is several times faster than sorting them; a test compares it with
 * `canonicalJson`. Changing a character here breaks every proof that was ever issued.
 */

/** What an event adds to `eventsDigest`: its fields, each ended by U+0000, which no field can contain. */
export function eventText(event: Omit<UsageEvent, 'usage' | 'account'>): string {
  const { hour, id, source, at, type, data, attributes } = event
  return `event\0${hour}\0${id}\0${source}\0${at}\0${type}\0${data}\0${attributes ?? ''}\0`
}

/** A held event that was released into the cycle. */
export function releaseText({ hour, id, source }: Pick<UsageEvent, 'hour' | 'id' | 'source'>): string {
  return `release\0${hour}\0${id}\0${source}\0`
}

/** An event that was voided. */
export interface EventVoid extends Pick<UsageEvent, 'hour' | 'id' | 'source'> {
  /** The cycle in which the event counts: that of the void or an older one; null: it counts nowhere. */
  readonly counted: Hour | null
  readonly orderedAt: Instant
  /** The id of the key, or the local command. Without U+0000, as the reason. */
  readonly orderedBy: string
  readonly reason: string
}

/** What a void adds to `eventsDigest`. */
export function voidText({ hour, id, source, counted, orderedAt, orderedBy, reason }: EventVoid): string {
  return `void\0${hour}\0${id}\0${source}\0${counted ?? ''}\0${orderedAt}\0${orderedBy}\0${reason}\0`
}

/** One line, as it stands in the API's answer, ended by a newline. */
export function lineText(own: BillHead['hour'], line: BillLine): string {
  return (
    `{"amount":"${line.amount}","component":"${line.component}","correction":${line.usageHour !== own}` +
    `,"corrects":${nullable(line.corrects)},"item":${quoted(line.item)},"listPrice":"${line.listPrice}"` +
    `,"listTier":${line.listTier},"number":${line.number},"operation":${nullable(line.operation)}` +
    `,"position":${nullable(line.position)},"priceList":${nullable(line.priceList)},"priceVersion":${line.priceVersion}` +
    `,"pricingQuantity":"${line.pricingQuantity}","pricingUnit":${quoted(line.pricingUnit)}` +
    `,"project":${nullable(line.project)},"quantity":"${line.quantity}","rate":${quoted(line.rate)}` +
    `,"region":${nullable(line.region)},"tier":${line.tier},"unit":${quoted(line.unit)}` +
    `,"unitPrice":"${line.unitPrice}","usageHour":"${formatHourStart(line.usageHour)}","waived":"${line.waived}"}\n`
  )
}

/** The bill without `lines` and `digest`: what `digest` is made of. */
export function billText(bill: BillHead): string {
  const { components, hour } = bill
  return (
    `{"account":${quoted(bill.account)},"components":{"processing":"${components.processing}"` +
    `,"request":"${components.request}","storage":"${components.storage}"}` +
    `,"currency":"${bill.currency}","cycle":{"from":"${formatHourStart(hour)}","to":"${formatHourStart(next(hour))}"}` +
    `,"demo":${bill.demo},"eventsDigest":"${bill.eventsDigest}","id":"${bill.id}"` +
    `,"issuedAt":"${formatInstant(bill.issuedAt)}","late":${bill.late},"linesDigest":"${bill.linesDigest}"` +
    `,"previousDigest":${nullable(bill.previousDigest)},"sequence":${bill.sequence}` +
    `,"statementMonth":"${bill.statementMonth}","total":"${bill.total}"}`
  )
}

function nullable(text: string | null): string {
  return text === null ? 'null' : quoted(text)
}
