import { insertAuditEntry } from '../../store/audit.ts'
import { countDueHours } from '../../store/cycles.ts'
import { run, runOne } from '../../store/query.ts'
import { sealDue } from './seal-hours.ts'
import { type SettlePass, settlePass } from './settle.ts'

export interface SettleNow extends Omit<SettlePass, 'backfillQuietMs'> {
  /** Wait for backfill to have been quiet for this long; undefined (`--now`): seal all of it at once. */
  readonly backfillQuietMs: number | undefined
  /** Who orders it, for the audit log. */
  readonly actor: string
  /** Told how many hours are due, before the first of them is settled. */
  readonly onDue?: (hours: number) => void
}

/**
 * Settle all that is due, once, as the server does by itself. With `--now` backfill does not wait for its quiet time;
 * live hours keep their grace in any case.
 * @returns how many hours were settled
 */
export async function settleNow({ backfillQuietMs, actor, onDue, ...now }: SettleNow): Promise<number> {
  const pass = { ...now, backfillQuietMs: backfillQuietMs ?? 0 }
  if (backfillQuietMs === undefined) {
    const detail = 'past hours do not wait until they were quiet'
    await run(pass.pool, insertAuditEntry, { actor, act: 'settle/now', account: null, detail })
  }
  await sealDue(pass)
  onDue?.((await runOne(pass.pool, countDueHours, undefined)) ?? 0)
  return settlePass(pass)
}
