import type { Component } from '../rate/price-book/price-book.ts'
import type { Hour } from '../time/hour.ts'
import type { Instant } from '../time/instant.ts'

/** A line of a bill, in the form in which it is stored, digested and shown. Quantities are plain decimals. */
export interface BillLine {
  /** From 1, in the order of the bill. */
  readonly number: number
  readonly component: Component
  readonly item: string
  readonly rate: string
  readonly operation: string | null
  readonly project: string | null
  readonly region: string | null
  /** The hour in which the usage happened: the bill's own, or an older one in a correction. */
  readonly usageHour: Hour
  /** Base units that are billed; negative in a correction that gives back. */
  readonly quantity: string
  /** The base unit: `call`, `byte-millisecond`. */
  readonly unit: string
  /** Base units that are counted and not billed. */
  readonly waived: string
  /** quantity in pricing units, half-even to 12 decimals: to be read. */
  readonly pricingQuantity: string
  readonly pricingUnit: string
  /** What is paid. */
  readonly unitPrice: string
  /** The public price. */
  readonly listPrice: string
  /** The price list that the unit price is from; null: it is the public one. */
  readonly priceList: string | null
  /** Of the unit price, and of the public one, from 1; null: it has no tiers. */
  readonly tier: number | null
  readonly listTier: number | null
  /** What the account had used of the rate in the stretch before this line, in base units; null: neither price has tiers. */
  readonly position: string | null
  /** The first hour of the stretch, from which the position counts; null as the position is. */
  readonly stretchFrom: Hour | null
  /** quantity x unitPrice / units per price: exact if its decimals end within 18 places, else half-even to 12. */
  readonly amount: string
  /** The id of the bill that this line corrects; null for the bill's own hour, or where none was issued. */
  readonly corrects: string | null
  readonly priceVersion: number
}

/** Exact sums in the book's currency, as plain decimals. */
export interface Totals {
  readonly total: string
  readonly components: Readonly<Record<Component, string>>
}

/** All that a bill says besides its lines. */
export interface BillHead extends Totals {
  readonly id: string
  readonly account: string
  /** The cycle: [start of hour, end of hour). */
  readonly hour: Hour
  readonly issuedAt: Instant
  readonly currency: string
  /** Was it made with a demo's price book? */
  readonly demo: boolean
  /** Issued for an hour that had been settled before its usage came in. */
  readonly late: boolean
  /** 1, 2, 3 … in the order in which the account's bills were issued. */
  readonly sequence: number
  /** `2025-07`: the month whose statement this bill is in. */
  readonly statementMonth: string
  readonly priceVersion: number
  /** SHA-256, hexadecimal, over the events of the cycle; over the lines' texts; over the bill's text. */
  readonly eventsDigest: string
  readonly linesDigest: string
  /** The digest of the bill before it in sequence; null for the first. */
  readonly previousDigest: string | null
}

/** An issued bill: immutable. */
export interface Bill extends BillHead {
  readonly digest: string
  readonly lines: readonly BillLine[]
}
