import type { BillLine } from '../../core/bill/bill.ts'
import { invariant } from '../../core/invariant.ts'
import type { Level } from '../../core/meter/level.ts'
import { ZERO } from '../../core/money/decimal.ts'
import { spansOf, type StoredSpan } from '../../core/present/stored-spans.ts'
import { next } from '../../core/time/hour.ts'
import { type BilledBefore, listBilledBefore } from '../../store/bill-lines.ts'
import type { StoredBill } from '../../store/bill-row.ts'
import { type Sql, run } from '../../store/query.ts'
import { type LevelPlace, listWithdrawnLevels, type WithdrawnLevel } from '../../store/restated-levels.ts'
import { type ListHourLevels, listHourLevels } from '../../store/storage-levels.ts'
import type { Page } from '../shared/page.ts'

/** Levels that a line voids, of one project and region: they add nothing to it, and more are not shown. */
export const WITHDRAWN_SHOWN_MAX = 10_000

/** What is behind a line of storage: a level that was in force in its hour, or what older bills say of the hour. */
export type LineLevel =
  | ({
      readonly kind: 'level'
      /** The bill reverses it: it adds nothing, and what it had come to was billed before. */
      readonly isTakenBack: boolean
    } & StoredSpan)
  | ({ readonly kind: 'billed' } & BilledBefore)

/** The last level of a page; or, behind all levels, how many of the rest came before. */
export type LinePosition =
  | { readonly place: LevelPlace; readonly rest?: undefined }
  | { readonly place?: undefined; readonly rest: number }

export interface AskLineLevels {
  readonly after: LinePosition | undefined
  readonly limit: number
}

/**
 * What a line of storage is made of, a page of it: how many bytes were stored from when to when, within the line's hour, as
 * the bill knows it; then the levels that the bill voids, as they had been until then; then what older bills say of
 * the hour under the same key, which the line corrects. All together add up to the line.
 */
export async function listLineLevels(
  sql: Sql,
  bill: StoredBill,
  line: BillLine,
  { after, limit }: AskLineLevels,
): Promise<Page<LineLevel, LinePosition>> {
  invariant(line.component === 'storage', 'levels are behind lines of storage alone')
  const levels: LineLevel[] = []
  if (after?.rest === undefined) {
    const scope = { ...scopeOf(bill, line), step: bill.step, after: after?.place }
    // One more, which ends the last one of the page.
    const read = await run(sql, listHourLevels, { ...scope, limit: limit + 1 })
    const shown = new Set(read.slice(0, limit))
    for (const span of spansOf(read, line.usageHour)) {
      if (shown.has(span.level)) levels.push({ kind: 'level', isTakenBack: false, ...span })
    }
    if (read.length > limit) return { items: levels, next: { place: placeOf(read[limit - 1]!) } }
  }
  const seen = after?.rest ?? 0
  const rest = await restOf(sql, bill, line)
  const room = limit - levels.length
  const items = [...levels, ...rest.slice(seen, seen + room)]
  return { items, next: seen + room < rest.length ? { rest: seen + room } : null }
}

/** What a correction has behind it besides the levels in force. */
async function restOf(sql: Sql, bill: StoredBill, line: BillLine): Promise<readonly LineLevel[]> {
  const billed = await run(sql, listBilledBefore, { ...bill, line })
  return [
    ...(await takenBack(sql, bill, line)),
    ...billed.map((row) => ({ kind: 'billed' as const, ...row })),
  ]
}

async function takenBack(sql: Sql, bill: StoredBill, line: BillLine): Promise<readonly LineLevel[]> {
  if (line.usageHour === bill.hour) return []
  const scope = scopeOf(bill, line)
  const limit = WITHDRAWN_SHOWN_MAX
  const withdrawn = await run(sql, listWithdrawnLevels, { ...scope, step: bill.step, limit })
  if (withdrawn.length === 0) return []
  const names = new Set(withdrawn.map(nameOf))
  const before = await run(sql, listHourLevels, { ...scope, step: bill.step - 1, after: undefined, limit })
  return spansOf(before, line.usageHour)
    .filter(({ level }) => names.has(nameOf(level)))
    .map((span) => ({ kind: 'level', isTakenBack: true, ...span, quantity: ZERO }))
}

type Scope = Omit<ListHourLevels, 'step' | 'after' | 'limit'> & {
  readonly project: string
  readonly region: string
}

function scopeOf({ bucket, account }: StoredBill, { project, region, usageHour }: BillLine): Scope {
  const hours = { from: usageHour, to: next(usageHour) }
  return { bucket, account, project: project ?? '', region: region ?? '', ...hours }
}

function placeOf({ project, dataset, region, at, source, id }: Level): LevelPlace {
  return { project: project ?? '', dataset: dataset ?? '', region: region ?? '', at, source, id }
}

/** Within a project and region. U+0000 occurs in no part. */
function nameOf({ dataset, at, source, id }: WithdrawnLevel): string {
  return `${dataset ?? ''}\0${at}\0${source}\0${id}`
}
