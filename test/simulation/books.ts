import type { KeptEvent } from './claims.ts'

/** The auditor's way to the books: it imports nothing of Farthing. */
export interface Database {
  query(text: string): Promise<{ rows: unknown[] }>
}

/** The key of an event, within the deployment. */
export interface EventName {
  readonly account: string
  readonly hour: number
  readonly source: string
  readonly id: string
}

export interface SettledHour {
  readonly hour: number
  readonly account: string
  readonly step: string
  readonly price_version: number
  readonly events_digest: string
}

export interface StoredBill extends SettledHour {
  readonly sequence: string
  readonly late: boolean
  readonly lines: number
  readonly total: string
  readonly request: string
  readonly processing: string
  readonly storage: string
  readonly digest: string
  readonly previous: string | null
}

export interface StoredLine {
  readonly hour: number
  readonly account: string
  readonly number: number
  readonly component: string
  readonly item: string
  readonly rate: string
  readonly operation: string | null
  readonly project: string | null
  readonly region: string | null
  readonly usage_hour: number
  readonly quantity: string
  readonly waived: string
  readonly pricing_quantity: string
  readonly unit_price: string
  readonly list_price: string
  readonly price_list: string | null
  readonly tier: number | null
  readonly list_tier: number | null
  readonly position: string | null
  readonly stretch_from: number | null
  readonly amount: string
  readonly corrects: string | null
  readonly price_version: number
}

/** An event marked as a copy of one that counts, or a held one that was released: in which cycle. */
export interface Noted extends EventName {
  readonly cycle: number
}

export interface StoredVoid extends Noted {
  readonly counted: number | null
  readonly ordered_at: string
  readonly ordered_by: string
  readonly reason: string
}

/** From this hour on an account pays by a list; null: the public prices. */
export interface Assigned {
  readonly list: string | null
  readonly from: number
}

/** From this month on, as `2025-07`, an account's months are those of the zone. */
export interface Zone {
  readonly fromMonth: string
  readonly zone: string
}

export interface KeptPosition {
  readonly account: string
  readonly item: string
  readonly rate: string
  readonly stretch_from: number
  readonly position: string
}

export interface Books {
  readonly events: readonly KeptEvent[]
  readonly copies: readonly Noted[]
  readonly releases: readonly Noted[]
  readonly voids: readonly StoredVoid[]
  readonly held: readonly EventName[]
  readonly bills: readonly StoredBill[]
  readonly lines: readonly StoredLine[]
  readonly without: readonly SettledHour[]
  /** By account, the oldest first. */
  readonly zones: ReadonlyMap<string, readonly Zone[]>
  readonly assigned: ReadonlyMap<string, readonly Assigned[]>
  readonly positions: readonly KeptPosition[]
  readonly settledUntil: number
  /** With which version an account's cycle was settled; undefined: it was not. */
  readonly versionOf: (account: string, cycle: number) => number | undefined
  /** Which of the account's settled hours it was: 1, 2, 3 …; 0: it was not. */
  readonly stepOf: (account: string, cycle: number) => number
}

export async function readBooks(database: Database): Promise<Books> {
  const rows = async <Row>(text: string) => (await database.query(text)).rows as Row[]
  const [deployment] = await rows<{ settled_until: number }>('select settled_until from deployment')
  const bills = await rows<StoredBill>(
    `select hour, account, step, sequence, late, lines, total, request, processing, storage, price_version,
            encode(digest, 'hex') as digest, encode(previous_digest, 'hex') as previous,
            encode(events_digest, 'hex') as events_digest
       from bill order by account, sequence`,
  )
  const without = await rows<SettledHour>(
    `select hour, account, step, price_version, encode(events_digest, 'hex') as events_digest from settled_hour`,
  )
  const settled = new Map([...bills, ...without].map((row) => [cycleName(row.account, row.hour), row]))
  const events = await rows<KeptEvent & { at: string }>(
    'select hour, cycle, account, source, id, at, type, data, attributes from usage_event',
  )
  const profiles = await rows<{ account: string; time_zones: string }>(
    'select account, time_zones from account_profile',
  )
  const assigned = await rows<Assigned & { account: string }>(
    'select account, list, from_hour as "from" from account_price_list order by account, from_hour',
  )
  return {
    zones: new Map(
      profiles.map(({ account, time_zones: zones }) => [account, JSON.parse(zones) as readonly Zone[]]),
    ),
    assigned: grouped(assigned, ({ account }) => account),
    positions: await rows('select account, item, rate, stretch_from, position from rate_position'),
    settledUntil: deployment!.settled_until,
    events: events.map((event) => ({ ...event, at: Number(event.at) })),
    copies: await rows('select account, hour, source, id, cycle from conflict_event'),
    releases: await rows('select account, hour, source, id, cycle from released_event'),
    voids: await rows(
      'select account, hour, source, id, cycle, counted, ordered_at, ordered_by, reason from voided_event',
    ),
    held: await rows('select account, hour, source, id from held_event'),
    bills,
    lines: await rows('select * from bill_line order by account, hour, number'),
    without,
    versionOf: (account, cycle) => settled.get(cycleName(account, cycle))?.price_version,
    stepOf: (account, cycle) => Number(settled.get(cycleName(account, cycle))?.step ?? 0),
  }
}

export function eventName({ account, source, id, hour }: EventName): string {
  return JSON.stringify([account, source, id, hour])
}

export function cycleName(account: string, hour: number): string {
  return `${account} in the bill of hour ${hour}`
}

export function grouped<Row>(rows: readonly Row[], nameOf: (row: Row) => string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const name = nameOf(row)
    const group = groups.get(name)
    if (group) group.push(row)
    else groups.set(name, [row])
  }
  return groups
}
