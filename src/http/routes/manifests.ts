import { Compile } from 'typebox/compile'
import { formatHourStart, type Hour, hourOf, startOf } from '../../core/time/hour.ts'
import { formatInstant } from '../../core/time/instant.ts'
import { announce } from '../../flows/sources/announce.ts'
import { listManifests } from '../../flows/sources/list-sources-of-hour.ts'
import { Announcement, GetManifests, PostManifest } from '../../api/manifests.ts'
import { PAGE } from '../../api/parameters.ts'
import { readCursor, writeCursor } from '../api/cursor.ts'
import { readJsonBody } from '../body/read-json.ts'
import { HttpProblem } from '../api/problem.ts'
import { readHourRange, readInstant } from '../api/parameters.ts'
import { route } from '../route.ts'

const announcement = Compile(Announcement)

/** A source may send for many accounts, and its count is over all of them: nothing for the key of one. */
const BOUND_KEYS = 'none'

export const postManifest = route({
  ...PostManifest,
  access: { scope: 'usage:write', boundKeys: BOUND_KEYS },
  async handle({ body, key, reply }, { writing }) {
    const value = readJsonBody(body)
    if (!announcement.Check(value)) throw invalidBody()
    const hour = readHour(value.hour)
    const announced = await announce(writing, key!.id, { ...value, hour })
    if (!announced.ok) throw new HttpProblem(announced.code, announced.detail)
    void reply.code(announced.isNew ? 201 : 200)
    return { ...value, hour: formatHourStart(hour) }
  },
})

function invalidBody(): HttpProblem {
  const form = '{"source":"…","hour":"2025-07-28T03Z","events":1200}'
  const detail = `The body is no manifest: send ${form}, with a whole number of events from 0.`
  return new HttpProblem('request/invalid_body', detail)
}

/** The hour that starts at a time: other times would leave open which hour is meant. */
export function readHour(text: string): Hour {
  const at = readInstant('hour', text)
  const hour = hourOf(at)
  if (startOf(hour) === at) return hour
  const detail = 'hour is not the start of an hour of UTC: send one such as 2025-07-28T03Z.'
  throw new HttpProblem('request/invalid_parameter', detail)
}

export const getManifests = route({
  ...GetManifests,
  access: { scope: 'usage:read', boundKeys: BOUND_KEYS },
  async handle({ query }, { reading }) {
    const position = readCursor('manifests', ['hour', 'text', 'number'], query.cursor)
    const after = position && { hour: position[0], source: position[1], version: position[2] }
    const { source, limit = PAGE } = query
    const page = await listManifests(reading, { ...readHourRange(query), source, after, limit })
    const { next } = page
    return {
      items: page.items.map((manifest) => ({
        ...manifest,
        hour: formatHourStart(manifest.hour),
        announcedAt: formatInstant(manifest.announcedAt),
      })),
      next: writeCursor('manifests', next && [next.hour, next.source, next.version]),
    }
  },
})
