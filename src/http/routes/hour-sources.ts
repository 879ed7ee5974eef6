import Type from 'typebox'
import { formatInstant } from '../../core/time/instant.ts'
import { listSourcesOfHour } from '../../flows/sources/list-sources-of-hour.ts'
import type { HourSource } from '../../store/sources.ts'
import { readCursor, writeCursor } from '../api/cursor.ts'
import { PAGE, PageParameters } from '../api/parameters.ts'
import { pageOf, route } from '../route.ts'
import { NullableTime, Text } from '../api/views.ts'
import { readHour } from './manifests.ts'

const NullableCount = Type.Union([Type.Integer(), Type.Null()])

const SourceOfHour = Type.Object({
  source: Text,
  state: Type.Enum(['equal', 'missing', 'surplus', 'unannounced'], {
    description: 'What arrived, against what was announced',
  }),
  announced: Type.Union([Type.Integer(), Type.Null()], { description: 'By its newest manifest' }),
  arrived: Type.Integer({ description: 'Stored events of this usage hour, whatever became of them' }),
  late: Type.Integer({ description: 'Those of them that count in a later hour' }),
  difference: Type.Union([Type.Integer(), Type.Null()], { description: 'Arrived less announced' }),
  announcedAt: NullableTime,
  version: NullableCount,
})

export const getHourSources = route({
  method: 'GET',
  url: '/v1/cycles/:hour/sources',
  access: { scope: 'usage:read', boundKeys: 'none' },
  summary: 'What sources have announced of an hour, and what has arrived until now',
  params: Type.Object({ hour: Text }),
  query: Type.Object(PageParameters),
  answers: { 200: pageOf(SourceOfHour) },
  async handle({ params, query }, { reading }) {
    const hour = readHour(params.hour)
    const [after] = readCursor('hour-sources', ['string'], query.cursor) ?? []
    const page = await listSourcesOfHour(reading, { hour, after, limit: query.limit ?? PAGE })
    const next = writeCursor('hour-sources', page.next === null ? null : [page.next])
    return { items: page.items.map(viewOf), next }
  },
})

function viewOf({ source, arrived, late, announced }: HourSource) {
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

function stateOf(difference: number | null) {
  if (difference === null) return 'unannounced'
  return difference === 0 ? 'equal' : difference < 0 ? 'missing' : 'surplus'
}
