import { countOf } from '../../core/present/readable-text.ts'
import { run, type Sql } from '../../store/query.ts'
import { findWrongTotals } from '../../store/storage-totals.ts'
import type { Difference } from './compare-bill.ts'

/**
 * Settlement carries what is stored as a sum of each place, and bills are proved from the levels: both must say the same,
 * or the next bill would be wrong.
 * @param account only this one; null: all
 */
export async function verifyTotals(sql: Sql, account: string | null): Promise<readonly Difference[]> {
  const wrong = await run(sql, findWrongTotals, { account })
  return wrong.map(({ account: name, project, region, kept, wanted }) => ({
    place: `account ${name}, stored data of ${project || '-'}/${region || '-'}`,
    detail: `is carried as ${countOf(kept, 'byte')}, and by its levels should be ${countOf(wanted, 'byte')}`,
  }))
}
