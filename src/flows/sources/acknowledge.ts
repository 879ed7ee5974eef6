import type pg from 'pg'
import { requireText, SOURCE_BYTES_MAX } from '../../core/ingest/read-text.ts'
import { isRejection } from '../../core/ingest/rejection.ts'
import { updateAcknowledgedSilence } from '../../store/silent-sources.ts'
import { runOne } from '../../store/query.ts'

/**
 * Say that a silent source is silent with good reason. It is listed on, and is no warning any more; when it reports
 * again, all of it is forgotten.
 * @param by the id of the key
 * @returns false when there is no silent source of this name
 */
export async function acknowledge(pool: pg.Pool, by: string, source: string): Promise<boolean> {
  if (isRejection(requireText(source, 'source', SOURCE_BYTES_MAX))) return false
  return (await runOne(pool, updateAcknowledgedSilence, { source, by })) !== undefined
}
