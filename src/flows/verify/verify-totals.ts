import { countOf, readableNumber } from '../../core/present/readable-text.ts'
import { run, type Sql } from '../../store/query.ts'
import {
  findWrongCounts,
  findWrongTotals,
  type StoredSum,
  type WrongTotal,
} from '../../store/storage-totals.ts'
import type { Difference } from './compare-bill.ts'

/**
 * Settlement carries what is stored as a sum of each place, and bills are proved from the levels: both must say the same,
 * or the next bill would be wrong.
 * @param account only this one; null: all
 */
export async function verifyTotals(sql: Sql, account: string | null): Promise<readonly Difference[]> {
  const totals = await run(sql, findWrongTotals, { account })
  const counts = await run(sql, findWrongCounts, { account })
  return [
    ...totals.map(totalDifference),
    ...counts.map(({ account: name, kept, wanted }) => ({
      place: `account ${name}, series of stored data`,
      detail: `are counted as ${kept}, and by their sums should be ${wanted}`,
    })),
  ]
}

function totalDifference({ account, project, region, kept, wanted }: WrongTotal): Difference {
  const place = `account ${account}, stored data of ${project || '-'}/${region || '-'}`
  if (kept.bytes === wanted.bytes && kept.series === wanted.series)
    return { place, detail: 'a series is carried with bytes that its newest level does not say' }
  return { place, detail: `is carried as ${sumOf(kept)}, and by its levels should be ${sumOf(wanted)}` }
}

function sumOf({ bytes, series }: StoredSum): string {
  return `${countOf(bytes, 'byte')} in ${readableNumber(String(series))} series`
}
