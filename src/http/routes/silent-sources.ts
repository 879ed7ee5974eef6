import { Compile } from 'typebox/compile'
import { formatHourStart } from '../../core/time/hour.ts'
import { acknowledge } from '../../flows/sources/acknowledge.ts'
import { listSilentSources } from '../../flows/sources/list-sources-of-hour.ts'
import { PAGE } from '../../api/parameters.ts'
import { Acknowledgement, GetSilentSources, PostAcknowledgement } from '../../api/sources.ts'
import { readCursor, writeCursor } from '../api/cursor.ts'
import { readJsonBody } from '../body/read-json.ts'
import { HttpProblem } from '../api/problem.ts'
import { route } from '../route.ts'

/** A source may send for many accounts. */
const BOUND_KEYS = 'none'

export const getSilentSources = route({
  ...GetSilentSources,
  access: { scope: 'usage:read', boundKeys: BOUND_KEYS },
  async handle({ query }, { reading }) {
    const [after] = readCursor('silent-sources', ['text'], query.cursor) ?? []
    const page = await listSilentSources(reading, { after, limit: query.limit ?? PAGE })
    return {
      items: page.items.map((silent) => ({
        source: silent.source,
        lastHour: formatHourStart(silent.lastHour),
        silentSince: formatHourStart(silent.silentSince),
        acknowledgedBy: silent.acknowledgedBy,
      })),
      next: writeCursor('silent-sources', page.next === null ? null : [page.next]),
    }
  },
})

const acknowledgement = Compile(Acknowledgement)

export const postAcknowledgement = route({
  ...PostAcknowledgement,
  access: { scope: 'admin', boundKeys: BOUND_KEYS },
  async handle({ body, key }, { writing }) {
    const value = readJsonBody(body)
    if (!acknowledgement.Check(value)) {
      throw new HttpProblem('request/invalid_body', 'The body names no source: send {"source":"…"}.')
    }
    const { source } = value
    if (await acknowledge(writing, key!.id, source)) return { source }
    throw new HttpProblem(
      'source/not_silent',
      'There is no silent source of this name: see /v1/sources/silent.',
    )
  },
})
