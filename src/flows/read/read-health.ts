import { endOf, startOf } from '../../core/time/hour.ts'
import { type ClockAlarm } from '../../core/time/clock.ts'
import { type ClockDelay } from '../../core/time/clock-gap.ts'
import type { Watermarks } from '../../store/deployment.ts'
import { countSilentSources } from '../../store/silent-sources.ts'
import { findNewestLag } from '../../store/cycles.ts'
import { countSetAside, listSetAside, type SetAside, type SetAsideCounts } from '../../store/set-aside.ts'
import { run, runOne, type Sql } from '../../store/query.ts'
import { NO_IDENTITY } from '../log/log-identity.ts'
import { type LogState, readLogState } from '../log/log-state.ts'
import { hoursDue, isInDanger, unsettledMs } from '../settle/billing-sla.ts'
import { readClockState } from '../settle/clock-watch.ts'
import { readWatermarks } from '../shared/read-deployment.ts'

/** How sealing and settlement are doing. */
export interface Health {
  readonly watermarks: Watermarks
  /** For how long sealing the first open hour has been due; 0 when it is not. */
  readonly sealingBehindMs: number
  /** Nothing is sealed because of it. */
  readonly alarm: ClockAlarm | undefined
  /** Live hours are not sealed yet because of it. */
  readonly delay: ClockDelay | undefined
  /** By how much the hours that are sealed are ahead of the clock; 0 as long as it was never wrong. */
  readonly sealedAheadMs: number
  /** Hours past their grace without bills. */
  readonly hoursDue: number
  /** For how long the oldest hour without bills has ended. */
  readonly unsettledMs: number
  readonly isInDanger: boolean
  /** From the end of the newest hour with bills to its last bill; undefined when there is none yet. */
  readonly newestLagMs: number | undefined
  /** Sources that usually report and have sent nothing; those that somebody has acknowledged not. */
  readonly silentSources: number
  /** What settlement has set aside: how much, and some of it. */
  readonly aside: SetAsideCounts
  readonly someAside: readonly SetAside[]
  readonly log: LogState
}

/** So many accounts that are set aside are named. */
export const ASIDE_NAMED = 20

/** @param graceMs how long after its end sealing an hour is due */
export async function readHealth(sql: Sql, graceMs: number, identity = NO_IDENTITY): Promise<Health> {
  const { alarm, delay } = await readClockState(sql)
  const newest = await runOne(sql, findNewestLag, undefined)
  const silentSources = (await runOne(sql, countSilentSources, undefined)) ?? 0
  const aside = (await runOne(sql, countSetAside, undefined))!
  const isAny = aside.accounts + aside.buckets > 0
  const someAside = isAny ? await run(sql, listSetAside, { limit: ASIDE_NAMED }) : []
  const watermarks = await readWatermarks(sql)
  const waits = unsettledMs(watermarks)
  return {
    watermarks,
    sealingBehindMs: Math.max(watermarks.now - endOf(watermarks.sealedUntil) - graceMs, 0),
    alarm,
    delay,
    sealedAheadMs: Math.max(startOf(watermarks.sealedUntil) - watermarks.now, 0),
    hoursDue: hoursDue(watermarks, graceMs),
    unsettledMs: waits,
    isInDanger: isInDanger(waits),
    newestLagMs: newest && newest.settledAt - endOf(newest.hour),
    silentSources,
    aside,
    someAside,
    log: await readLogState(sql, identity),
  }
}
