import type { Hour } from '../../core/time/hour.ts'
import { findSilences, listSilentSourceRows, type SilentSource } from '../../store/silent-sources.ts'
import { type HourSource, listHourSources } from '../../store/sources.ts'
import { type Manifest, listManifestRows, type ListManifestRows } from '../../store/manifests.ts'
import { run, type Sql } from '../../store/query.ts'
import { type Page, pageOf } from '../shared/page.ts'

export interface ListSourcesOfHour {
  readonly hour: Hour
  readonly after: string | undefined
  readonly limit: number
}

/** What is stored of an hour and what was announced, by source, as of now: late usage included. */
export async function listSourcesOfHour(
  sql: Sql,
  { hour, after = '', limit }: ListSourcesOfHour,
): Promise<Page<HourSource, string>> {
  const rows = await run(sql, listHourSources, { hour, after, limit: limit + 1 })
  return pageOf(rows, limit, ({ source }) => source)
}

/** Everything that was announced, in the order of hour, source and version. */
export async function listManifests(sql: Sql, ask: ListManifestRows): Promise<Page<Manifest, Manifest>> {
  const rows = await run(sql, listManifestRows, { ...ask, limit: ask.limit + 1 })
  return pageOf(rows, ask.limit, (manifest) => manifest)
}

/** Sources that usually report and have fallen silent, in the order of their bytes. */
export async function listSilentSources(
  sql: Sql,
  { after = '', limit }: Omit<ListSourcesOfHour, 'hour'>,
): Promise<Page<SilentSource, string>> {
  const rows = await run(sql, listSilentSourceRows, { after, limit: limit + 1 })
  return pageOf(rows, limit, ({ source }) => source)
}

/** Since which hour some sources are silent; those that are not are not there. */
export async function silencesOf(sql: Sql, sources: readonly string[]): Promise<ReadonlyMap<string, Hour>> {
  if (sources.length === 0) return new Map()
  const silences = await run(sql, findSilences, sources)
  return new Map(silences.map(({ source, silentSince }) => [source, silentSince]))
}
