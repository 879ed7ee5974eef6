import { endOf } from '../../core/time/hour.ts'
import { type ClockDoubt } from '../../core/time/clock.ts'
import type { Marks } from '../../store/deployment.ts'
import { countSilentSources } from '../../store/silent-sources.ts'
import { findNewestLag } from '../../store/cycles.ts'
import { runOne, type Sql } from '../../store/query.ts'
import { hoursDue, isInDanger, unsettledMs } from '../settle/bill-promise.ts'
import { findClockDoubt } from '../settle/clock-watch.ts'
import { findMarks } from '../shared/read-deployment.ts'

/** How sealing and settlement are doing. */
export interface Health {
  readonly marks: Marks
  /** For how long sealing the first open hour has been due; 0 when it is not. */
  readonly sealingBehindMs: number
  /** Nothing is sealed because of it. */
  readonly doubt: ClockDoubt | undefined
  /** Hours past their grace without bills. */
  readonly hoursDue: number
  /** For how long the oldest hour without bills has ended. */
  readonly unsettledMs: number
  readonly isInDanger: boolean
  /** From the end of the newest hour with bills to its last bill; undefined when there is none yet. */
  readonly newestLagMs: number | undefined
  /** Sources that usually report and have sent nothing; those that somebody has acknowledged not. */
  readonly silentSources: number
}

/** @param graceMs how long after its end sealing an hour is due */
export async function readHealth(sql: Sql, graceMs: number): Promise<Health> {
  const doubt = await findClockDoubt(sql)
  const newest = await runOne(sql, findNewestLag, undefined)
  const silentSources = (await runOne(sql, countSilentSources, undefined)) ?? 0
  const marks = await findMarks(sql)
  const waits = unsettledMs(marks)
  return {
    marks,
    sealingBehindMs: Math.max(marks.now - endOf(marks.sealedUntil) - graceMs, 0),
    doubt,
    hoursDue: hoursDue(marks, graceMs),
    unsettledMs: waits,
    isInDanger: isInDanger(waits),
    newestLagMs: newest && newest.settledAt - endOf(newest.hour),
    silentSources,
  }
}
