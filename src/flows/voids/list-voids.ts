import { bucketOf } from '../../core/ingest/bucket.ts'
import type { Hour } from '../../core/time/hour.ts'
import { listVoidRows, type VoidRow } from '../../store/voids.ts'
import { run, type Sql } from '../../store/query.ts'
import { type Page, pageOf } from '../shared/page.ts'

export type { VoidRow } from '../../store/voids.ts'

/** The key of an event that was voided. */
export type VoidPosition = readonly [
  hour: number,
  bucket: number,
  account: string,
  id: string,
  source: string,
]

export interface ListVoids {
  /** Undefined: of all accounts. */
  readonly account: string | undefined
  /** Usage hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
  readonly after: VoidPosition | undefined
  readonly limit: number
}

/** Events that were voided, by usage hour. */
export async function listVoids(
  sql: Sql,
  { account, from, to, after, limit }: ListVoids,
): Promise<Page<VoidRow, VoidPosition>> {
  const rows = await run(sql, listVoidRows, {
    account: account === undefined ? undefined : { name: account, bucket: bucketOf(account) },
    from,
    to,
    after: after && keyOf(after),
    limit: limit + 1,
  })
  return pageOf(rows, limit, ({ hour, bucket, account: name, id, source }) => [
    hour,
    bucket,
    name,
    id,
    source,
  ])
}

function keyOf([hour, bucket, account, id, source]: VoidPosition) {
  return { hour: hour as Hour, bucket, account, id, source }
}
