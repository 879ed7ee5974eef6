import type pg from 'pg'
import { ENTRY, summaryText } from '../../core/log/entry.ts'
import { type Hour, next } from '../../core/time/hour.ts'
import { listNewlySettled, updateSettledUntil } from '../../store/deployment.ts'
import { drawChunk, insertPendingLeaves } from '../../store/log-pending.ts'
import { run, runOne } from '../../store/query.ts'
import { findSettledSums, insertSettlementSummary } from '../../store/settlement-summaries.ts'
import { transaction } from '../../store/transaction.ts'
import { sha256 } from '../shared/sha256.ts'

/** Hours that are noted in one transaction. */
const HOURS_TOGETHER = 24

/**
 * Note the hours that have all of their bills, each with a summary of what was settled, which goes into the log. Sums are
 * made before anything is locked: the bills of such an hour do not change. Anyone who settles the last bucket does it; of two
 * at once one finds it done.
 */
export async function noteSettled(pool: pg.Pool): Promise<void> {
  for (;;) {
    const hours = await run(pool, listNewlySettled, { limit: HOURS_TOGETHER })
    const last = hours.at(-1)
    if (last === undefined) return
    const texts = new Map<Hour, string>()
    for (const hour of hours) texts.set(hour, summaryText((await runOne(pool, findSettledSums, { hour }))!))
    await transaction(pool, async (client) => {
      const noted = new Set(await run(client, updateSettledUntil, { to: next(last) }))
      for (const [hour, text] of texts) {
        if (!noted.has(hour)) continue
        const chunk = (await runOne(client, drawChunk, undefined))!
        const digests = Buffer.from(sha256(text), 'hex')
        await run(client, insertSettlementSummary, { hour, text })
        const leaf = { chunk, kind: ENTRY.settlementSummary, hour, accounts: [''], numbers: [null], digests }
        await run(client, insertPendingLeaves, leaf)
      }
    })
    if (hours.length < HOURS_TOGETHER) return
  }
}
