import type pg from 'pg'
import { EARLIEST } from '../../core/ingest/accept.ts'
import { requireText, SOURCE_BYTES_MAX } from '../../core/ingest/read-text.ts'
import { isRejection } from '../../core/ingest/rejection.ts'
import { formatHour, type Hour, hourOf } from '../../core/time/hour.ts'
import { insertManifest } from '../../store/manifests.ts'
import { insertUncountedHour } from '../../store/sources.ts'
import { run, runOne } from '../../store/query.ts'
import { sqlState, transaction } from '../../store/transaction.ts'
import { readWatermarks } from '../shared/read-deployment.ts'

export interface Announcement {
  readonly source: string
  readonly hour: Hour
  /** A whole number from 0, below 2^53. */
  readonly events: number
}

export type ManifestCode = 'manifest/invalid_source' | 'manifest/hour_out_of_range'

export type Announced =
  | { readonly ok: true; readonly isNew: boolean }
  | { readonly ok: false; readonly code: ManifestCode; readonly detail: string }

/** Somebody else announced the same hour of the same source at this moment. */
const TAKEN = '23505'
const ATTEMPTS = 10

/**
 * Keep what a source says it has sent of an hour. Said again, it changes nothing; said differently, it counts from then
 * on, and what was said before is kept. An hour that was counted already is counted again in a moment.
 * @param by the id of the key
 */
export async function announce(pool: pg.Pool, by: string, announcement: Announcement): Promise<Announced> {
  const { source, hour } = announcement
  const text = requireText(source, 'source', SOURCE_BYTES_MAX)
  if (isRejection(text)) return { ok: false, code: 'manifest/invalid_source', detail: text.detail }
  const { now } = await readWatermarks(pool)
  if (hour < hourOf(EARLIEST) || hour > hourOf(now)) {
    const detail = `hour is ${formatHour(hour)}: announce an hour from 2000 on that has begun.`
    return { ok: false, code: 'manifest/hour_out_of_range', detail }
  }
  for (let attempt = 1; ; attempt++) {
    try {
      return { ok: true, isNew: await keep(pool, by, announcement) }
    } catch (error) {
      if (sqlState(error) !== TAKEN || attempt === ATTEMPTS) throw error
    }
  }
}

function keep(pool: pg.Pool, by: string, announcement: Announcement): Promise<boolean> {
  return transaction(pool, async (client) => {
    const version = await runOne(client, insertManifest, { ...announcement, by })
    if (version !== undefined) await run(client, insertUncountedHour, { hour: announcement.hour })
    return version !== undefined
  })
}
