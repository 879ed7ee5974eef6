import { reject, type Rejection } from '../../core/ingest/rejection.ts'
import { isZero } from '../../core/money/decimal.ts'
import { readableNumber } from '../../core/present/readable-text.ts'
import { run, type Sql } from '../../store/query.ts'
import { findSeriesBeyond } from '../../store/storage-totals.ts'
import { type Candidate, isRefused, type Parsed } from './parse.ts'

/**
 * Which levels would begin a series of an account that stores data in as many as it may, and why they are not taken. The
 * account's series are counted as of its last settled hour. A level of 0 bytes, and a level of a series that has a settled
 * level, are always taken: data can always be corrected, and ended.
 * @param max undefined: no limit
 */
export async function findTooManySeries(
  sql: Sql,
  max: number | undefined,
  reads: Iterable<Parsed>,
): Promise<ReadonlyMap<Candidate, Rejection>> {
  const levels = max === undefined ? [] : [...reads].filter(beginsSeries)
  if (max === undefined || levels.length === 0) return new Map()
  const series = levels.map(({ bucket, account, usage: { project, dataset, region } }) => {
    return { bucket, account, project, dataset, region }
  })
  const beyond = await run(sql, findSeriesBeyond, { series, max })
  const rejection = tooManySeries(max)
  return new Map(beyond.map((index) => [levels[index]!, rejection]))
}

type StoredLevel = Candidate & { readonly usage: { readonly component: 'storage' } }

/** It may begin one: what it stores is more than nothing. */
function beginsSeries(read: Parsed): read is Parsed & StoredLevel {
  return !isRefused(read) && read.usage?.component === 'storage' && !isZero(read.usage.bytes)
}

function tooManySeries(max: number): Rejection {
  const detail =
    `The account stores data in ${readableNumber(String(max))} series (project, dataset and region) or more, ` +
    'and no new one is taken: end series with a level of 0 bytes, or raise FARTHING_STORED_SERIES.'
  return reject('event/too_many_series', detail)
}
