import { formatInstant } from '../../core/time/instant.ts'
import { listSourcesOfHour } from '../../flows/sources/list-sources-of-hour.ts'
import type { HourSource } from '../../store/sources.ts'
import { GetHourSources, type SourceOfHour } from '../../api/cycles.ts'
import { PAGE } from '../../api/parameters.ts'
import { readCursor, writeCursor } from '../api/cursor.ts'
import { route } from '../route.ts'
import { readHour } from './manifests.ts'

export const getHourSources = route({
  ...GetHourSources,
  access: { scope: 'usage:read', boundKeys: 'none' },
  async handle({ params, query }, { reading }) {
    const hour = readHour(params.hour)
    const [after] = readCursor('hour-sources', ['text'], query.cursor) ?? []
    const page = await listSourcesOfHour(reading, { hour, after, limit: query.limit ?? PAGE })
    const next = writeCursor('hour-sources', page.next === null ? null : [page.next])
    return { items: page.items.map(viewOf), next }
  },
})

function viewOf({ source, arrived, late, announced }: HourSource): SourceOfHour {
  const difference = announced === null ? null : arrived - announced.events
  return {
    source,
    state: stateOf(difference),
    announced: announced?.events ?? null,
    arrived,
    late,
    difference,
    announcedAt: announced === null ? null : formatInstant(announced.at),
    version: announced?.version ?? null,
  }
}

function stateOf(difference: number | null): SourceOfHour['state'] {
  if (difference === null) return 'unannounced'
  return difference === 0 ? 'equal' : difference < 0 ? 'missing' : 'surplus'
}
