import { countOf } from '../../core/present/readable-text.ts'
import { endOfSeries } from '../../core/ingest/ended-level.ts'
import { hourOf } from '../../core/time/hour.ts'
import { formatInstant, type Instant } from '../../core/time/instant.ts'
import { findWaitingEvents, type LevelAfterClosing, listLevelsAfterClosing } from '../../store/closings.ts'
import { run, type Sql } from '../../store/query.ts'
import type { EventKey } from '../../store/key-columns.ts'
import { releasingLocks } from '../../store/transaction.ts'
import { byMonth } from '../shared/by-month.ts'
import { sha256 } from '../shared/sha256.ts'
import type { Difference } from './compare-bill.ts'

/** Levels that are named: more than anybody reads. */
export const LEVELS_AFTER_CLOSING_MAX = 1_000

/**
 * A closed account stores nothing from its closing on: each settled level that is above 0 there is a difference, unless
 * its end is stored and waits for its bill.
 * @param account only this one; null: all
 */
export async function verifyClosings(sql: Sql, account: string | null): Promise<readonly Difference[]> {
  const levels = await run(sql, listLevelsAfterClosing, { account, limit: LEVELS_AFTER_CLOSING_MAX })
  const ended = await waitingEnds(sql, levels)
  return levels.filter((level) => !ended.has(level)).map(differenceOf)
}

/** The levels whose end is an event on no bill yet. */
async function waitingEnds(
  sql: Sql,
  levels: readonly LevelAfterClosing[],
): Promise<ReadonlySet<LevelAfterClosing>> {
  const ended = new Set<LevelAfterClosing>()
  const ends = levels.map((level) => ({ level, key: keyOfEnd(level) }))
  for (const { items, ...range } of byMonth(ends, ({ key }) => key.hour)) {
    const asked = { ...range, keys: items.map(({ key }) => key) }
    for (const index of await releasingLocks(sql, () => run(sql, findWaitingEvents, asked))) {
      ended.add(items[index]!.level)
    }
  }
  return ended
}

/** The event with which Farthing ends the level. */
function keyOfEnd(level: LevelAfterClosing): EventKey {
  const { account, bucket, at, closedAt, source } = level
  const names = {
    project: level.project || null,
    dataset: level.dataset || null,
    region: level.region || null,
  }
  const over = at >= closedAt ? source : undefined
  const end = endOfSeries({ account, ...names, at: sinceOf(level), over }, sha256)
  return { account, bucket, hour: hourOf(end.at), id: end.id, source: end.source }
}

function sinceOf({ at, closedAt }: LevelAfterClosing): Instant {
  return Math.max(at, closedAt) as Instant
}

function differenceOf(level: LevelAfterClosing): Difference {
  const { account, project, dataset, region, bytes, id, source, closedAt } = level
  const series = [project, dataset, region].map((name) => name || '-').join('/')
  const since = formatInstant(sinceOf(level))
  return {
    place: `account ${account}, stored data of ${series}`,
    detail: `is ${countOf(bytes, 'byte')} from ${since} on, by event ${id} of source ${source}, and should be 0: the account is closed since ${formatInstant(closedAt)}`,
  }
}
