import { setTimeout as sleep } from 'node:timers/promises'
import type { Instant } from '../../core/time/instant.ts'
import { updateNewestUsage } from '../../store/clock.ts'
import { run, type Sql } from '../../store/query.ts'
import type { Entry, Waiting } from './entries.ts'
import { isRefused } from './parse.ts'

/** Between two notes: what is noted is looked at once a second. */
const NOTE_EVERY_MS = 1_000

/** Tells the clock watch how new the usage is that arrives (core/time/clock-gap.ts). */
export interface UsageTimes {
  note(entries: ReadonlyMap<Waiting, readonly Entry[]>): void
  stop(): Promise<void>
}

/**
 * Notes the newest time of live usage, once a second while some arrives. Imports say nothing about the clock, nor do events
 * whose time is that of their receipt, nor what is not new. Nothing depends on a note: one that fails is left out.
 */
export function noteUsageTimes(sql: Sql): UsageTimes {
  const abort = new AbortController()
  let newest: Instant | undefined
  let noting: Promise<void> | undefined
  async function noteAll(): Promise<void> {
    while (newest !== undefined) {
      await sleep(NOTE_EVERY_MS, undefined, { signal: abort.signal, ref: false }).catch(() => undefined)
      if (abort.signal.aborted) return
      const at = newest
      newest = undefined
      await run(sql, updateNewestUsage, { at }).catch(() => undefined)
    }
  }
  return {
    note(entries) {
      for (const [{ writer }, own] of entries) {
        if (writer === '') newest = newestOf(own, newest)
      }
      if (newest !== undefined && !abort.signal.aborted) {
        noting ??= noteAll().finally(() => (noting = undefined))
      }
    },
    async stop() {
      abort.abort()
      await noting
    },
  }
}

function newestOf(entries: readonly Entry[], known: Instant | undefined): Instant | undefined {
  let newest = known
  for (const { parsed, result } of entries) {
    if (!parsed || isRefused(parsed) || parsed.untimed) continue
    if (result?.outcome !== 'accepted' && result?.outcome !== 'held') continue
    if (newest === undefined || parsed.at > newest) newest = parsed.at
  }
  return newest
}
