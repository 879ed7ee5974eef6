import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { formatHourStart } from '../../core/time/hour.ts'
import { acknowledge } from '../../flows/sources/acknowledge.ts'
import { listSilentSources } from '../../flows/sources/list-sources-of-hour.ts'
import { readCursor, writeCursor } from '../api/cursor.ts'
import { readJsonBody } from '../body/read-json.ts'
import { PAGE, PageParameters } from '../api/parameters.ts'
import { HttpProblem } from '../api/problem.ts'
import { pageOf, route } from '../route.ts'
import { Nullable, Text } from '../api/views.ts'

const Silent = Type.Object({
  source: Text,
  lastHour: Type.String({ format: 'date-time', description: 'The newest hour of which it has usage' }),
  silentSince: Type.String({ format: 'date-time', description: 'The first hour in which it was missed' }),
  acknowledgedBy: Type.Union([Nullable], { description: 'The key that said that this is right' }),
})

/** A source may send for many accounts. */
const BOUND_KEYS = 'none'

export const getSilentSources = route({
  method: 'GET',
  url: '/v1/sources/silent',
  access: { scope: 'usage:read', boundKeys: BOUND_KEYS },
  summary: 'Sources that usually report, and have sent nothing',
  query: Type.Object(PageParameters),
  answers: { 200: pageOf(Silent) },
  async handle({ query }, { reading }) {
    const [after] = readCursor('silent-sources', ['string'], query.cursor) ?? []
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

const Acknowledgement = Type.Object({ source: Type.String() }, { additionalProperties: false })
const acknowledgement = Compile(Acknowledgement)

export const postAcknowledgement = route({
  method: 'POST',
  url: '/v1/sources/silent/acknowledge',
  access: { scope: 'admin', boundKeys: BOUND_KEYS },
  summary: 'Say that a source is silent with good reason: it is no warning any more, until it reports again',
  body: { 'application/json': Acknowledgement },
  answers: { 200: Acknowledgement },
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
