import type { Hour } from '../../core/time/hour.ts'
import { run, type Sql } from '../../store/query.ts'
import type { EventKey } from '../../store/key-columns.ts'
import {
  type HeldGroup,
  type HeldRow,
  listHeldEventRows,
  listHeldGroupRows,
} from '../../store/held-events.ts'
import {
  listRefusalCountRows,
  listRefusedEventRows,
  type RefusalCount,
  type RefusedRow,
} from '../../store/refusals.ts'
import { type Page, pageOf } from '../shared/page.ts'

/** Usage that is on no bill: held until it can be priced, or refused. */

export interface ListHeldGroups {
  /** Undefined: of all accounts. */
  readonly account: string | undefined
  readonly after: readonly [code: string, subject: string] | undefined
  readonly limit: number
}

/** Why events are held, with their number. */
export async function listHeldGroups(
  sql: Sql,
  { account, after, limit }: ListHeldGroups,
): Promise<Page<HeldGroup, readonly [string, string]>> {
  const position = after && { code: after[0], subject: after[1] }
  const groups = await run(sql, listHeldGroupRows, { account, after: position, limit: limit + 1 })
  return pageOf(groups, limit, ({ code, subject }) => [code, subject])
}

/** The key of a held event. */
export type HeldPosition = readonly [
  hour: number,
  bucket: number,
  account: string,
  id: string,
  source: string,
]

export interface ListHeldEvents {
  readonly account: string | undefined
  readonly code: string | undefined
  readonly subject: string | undefined
  readonly after: HeldPosition | undefined
  readonly limit: number
}

/** The held events, or those of one reason, by hour. */
export async function listHeldEvents(
  sql: Sql,
  { after, limit, ...filter }: ListHeldEvents,
): Promise<Page<HeldRow, HeldPosition>> {
  const events = await run(sql, listHeldEventRows, {
    ...filter,
    after: after && keyOf(after),
    limit: limit + 1,
  })
  return pageOf(events, limit, ({ hour, bucket, account, id, source }) => [hour, bucket, account, id, source])
}

function keyOf([hour, bucket, account, id, source]: HeldPosition): EventKey {
  return { hour: hour as Hour, bucket, account, id, source }
}

export interface ListRefusedEvents {
  readonly account: string | undefined
  /** The number of the last event of the page before. */
  readonly before: number | undefined
  readonly limit: number
}

/** What was rejected, or in conflict with an event that was there: equal ones once, the newest first. */
export async function listRefusedEvents(
  sql: Sql,
  { account, before, limit }: ListRefusedEvents,
): Promise<Page<RefusedRow, number>> {
  const filter = { account, id: undefined, source: undefined }
  const events = await run(sql, listRefusedEventRows, { ...filter, before, limit: limit + 1 })
  return pageOf(events, limit, ({ number }) => number)
}

/** The key of a count of refusals; '' for an account or source that is unknown. */
export type RefusalCountPosition = readonly [account: string, source: string, code: string, outcome: string]

export interface ListRefusalCounts {
  /** Undefined: of all accounts, and those whose account is unknown. */
  readonly account: string | undefined
  readonly after: RefusalCountPosition | undefined
  readonly limit: number
}

/** How often what was refused, since the beginning, by account, source, code and outcome. */
export async function listRefusalCounts(
  sql: Sql,
  { account, after, limit }: ListRefusalCounts,
): Promise<Page<RefusalCount, RefusalCountPosition>> {
  const counts = await run(sql, listRefusalCountRows, { account, after, limit: limit + 1 })
  return pageOf(counts, limit, ({ account: own, source, code, outcome }) => [
    own ?? '',
    source ?? '',
    code,
    outcome,
  ])
}
