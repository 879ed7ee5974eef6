import type pg from 'pg'
import { isExpected, PRESENCE_HOURS } from '../../core/ingest/presence.ts'
import { formatHour, type Hour, next } from '../../core/time/hour.ts'
import type { Log } from '../../store/connect.ts'
import {
  insertAnnouncedHours,
  insertUncountedHours,
  claimSourceWatch,
  countSourcesOf,
  updateCountedUntil,
  type SourceWatch,
  deleteUncountedHour,
} from '../../store/sources.ts'
import {
  countSilentSources,
  findMissedSources,
  deleteSourcePresence,
  updateSilentSources,
} from '../../store/silent-sources.ts'
import { run, runOne, type Sql } from '../../store/query.ts'
import { transaction } from '../../store/transaction.ts'

/** A silence that nobody has ended or acknowledged is forgotten this long after the last report. */
export const SILENCE_HOURS_MAX = 31 * 24
/** Late usage of hours this recent changes when a source has reported; of older ones only what was announced. */
const RECENT_HOURS = 24
/** Sources looked at in one step. */
const PAGE = 10_000
/** Named in one warning: an outage silences all at once. */
const NAMED = 10

export interface CountSources {
  readonly pool: pg.Pool
  readonly log: Log
  /** Asked between hours: true ends it. */
  readonly stopping: () => boolean
}

/**
 * Count every sealed hour by source, once, and those again that got late usage or were announced afterwards: when
 * sources report, how many events they have, and who has fallen silent. What is to be counted follows from the
 * database, one hour is one transaction, and any number of processes may do it.
 */
export async function countSources({ pool, log, stopping }: CountSources): Promise<void> {
  while (!stopping()) {
    const counted = await transaction(pool, countNext)
    if (counted === undefined) return
    say(log, counted)
  }
}

interface Counted {
  readonly hour: Hour
  /** Sources that are silent from this hour on. */
  readonly missed: readonly string[]
  /** How many are silent no more. */
  readonly returned: number
}

async function countNext(client: pg.PoolClient): Promise<Counted | undefined> {
  const watch = await runOne(client, claimSourceWatch, undefined)
  if (!watch) return undefined
  const countedUntil = watch.countedUntil ?? (await begin(client, watch))
  const isLive = countedUntil < watch.sealedUntil
  const hour = isLive ? countedUntil : await runOne(client, deleteUncountedHour, { before: countedUntil })
  if (hour === undefined) return undefined
  const silentBefore = (await runOne(client, countSilentSources, undefined))!
  await run(client, countSourcesOf, { hour })
  const returned = silentBefore - (await runOne(client, countSilentSources, undefined))!
  if (!isLive) return { hour, missed: [], returned }
  await run(client, insertUncountedHours, { cycle: hour, from: (hour - RECENT_HOURS) as Hour })
  await run(client, updateCountedUntil, { to: next(hour) })
  // While hours are made up for, only the newest one says who is silent now.
  const isNewest = next(hour) === watch.sealedUntil
  const missed = isNewest ? await noteMissed(client, hour) : []
  if (isNewest) await forget(client, hour)
  return { hour, missed, returned }
}

/** Where to begin in a database that was not counted before: the days that say what is usual. */
async function begin(sql: Sql, { firstHour, sealedUntil }: SourceWatch): Promise<Hour> {
  await run(sql, insertAnnouncedHours, undefined)
  const from = Math.min(Math.max(firstHour, sealedUntil - PRESENCE_HOURS), sealedUntil) as Hour
  await run(sql, updateCountedUntil, { to: from })
  return from
}

async function noteMissed(sql: Sql, hour: Hour): Promise<readonly string[]> {
  const missed: string[] = []
  for (let after = ''; ;) {
    const page = await run(sql, findMissedSources, { hour, after, limit: PAGE })
    const sources = page.filter((presence) => isExpected(presence, hour)).map(({ source }) => source)
    if (sources.length > 0) await run(sql, updateSilentSources, { sources, hour })
    missed.push(...sources)
    if (page.length < PAGE) return missed
    after = page.at(-1)!.source
  }
}

async function forget(sql: Sql, hour: Hour): Promise<void> {
  const before = (hour - PRESENCE_HOURS) as Hour
  await run(sql, deleteSourcePresence, { before, silentBefore: (hour - SILENCE_HOURS_MAX) as Hour })
}

function say(log: Log, { hour, missed, returned }: Counted): void {
  if (missed.length > 0) {
    const fields = { hour: formatHour(hour), sources: missed.length, first: missed.slice(0, NAMED) }
    log.warn(fields, 'Sources that usually report have sent nothing for this hour: is their metering down?')
  }
  if (returned > 0) log.info({ hour: formatHour(hour), sources: returned }, 'Silent sources report again')
}
