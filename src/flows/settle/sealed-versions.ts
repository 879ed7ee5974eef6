import { invariant } from '../../core/invariant.ts'
import { listSealedVersions } from '../../store/settled-hours.ts'
import type { AccountHourKey } from '../../store/key-columns.ts'
import type { Watermarks } from '../../store/deployment.ts'
import { run, type Sql } from '../../store/query.ts'

/**
 * With which price version each account's cycle was sealed; undefined: it is open. Behind the gate, shared or alone:
 * what is open then is open until the end of the transaction.
 * @returns one for each key, in order
 */
export async function sealedVersions(
  sql: Sql,
  { sealedUntil }: Watermarks,
  keys: readonly AccountHourKey[],
): Promise<readonly (number | undefined)[]> {
  const versions = new Map<AccountHourKey, number | null>()
  const past = keys.filter(({ hour }) => hour < sealedUntil)
  if (past.length > 0) {
    const found = await run(sql, listSealedVersions, past)
    for (const { index, priceVersion } of found) versions.set(past[index]!, priceVersion)
  }
  return keys.map((key) => {
    if (key.hour >= sealedUntil) return undefined
    const version = versions.get(key)
    invariant(version !== undefined, 'an hour below sealedUntil is sealed, or open as backfill')
    return version ?? undefined
  })
}
