import type { SettlePass } from './settle.ts'
import { settlePass } from './settle.ts'

export interface SettleNow extends Omit<SettlePass, 'historyQuietMs'> {
  /** Wait for history to have been quiet for this long; undefined (`--now`): seal all of it at once. */
  readonly historyQuietMs: number | undefined
}

/**
 * Settle all that is due, once, as the server does by itself. With `--now` history does not wait for its quiet time;
 * live hours keep their grace in any case.
 * @returns how many hours were settled
 */
export function settleNow({ historyQuietMs, ...pass }: SettleNow): Promise<number> {
  return settlePass({ ...pass, historyQuietMs: historyQuietMs ?? 0 })
}
