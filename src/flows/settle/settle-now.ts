import { addAuditEntry } from '../../store/queries/add-audit-entry.ts'
import { run } from '../../store/query.ts'
import type { SettlePass } from './settle.ts'
import { settlePass } from './settle.ts'

export interface SettleNow extends Omit<SettlePass, 'historyQuietMs'> {
  /** Wait for history to have been quiet for this long; undefined (`--now`): seal all of it at once. */
  readonly historyQuietMs: number | undefined
  /** Who orders it, for the audit log. */
  readonly actor: string
}

/**
 * Settle all that is due, once, as the server does by itself. With `--now` history does not wait for its quiet time;
 * live hours keep their grace in any case.
 * @returns how many hours were settled
 */
export async function settleNow({ historyQuietMs, actor, ...pass }: SettleNow): Promise<number> {
  if (historyQuietMs === undefined) {
    const detail = 'past hours do not wait until they were quiet'
    await run(pass.pool, addAuditEntry, { actor, act: 'settle/now', account: null, detail })
  }
  return settlePass({ ...pass, historyQuietMs: historyQuietMs ?? 0 })
}
