import Type from 'typebox'
import type { FastifyReply } from 'fastify'
import { priceBookChangeView } from '../../core/present/price-book-changes.ts'
import { formatHourStart } from '../../core/time/hour.ts'
import { type PublishedPriceBook, publishPriceBook } from '../../flows/prices/publish-price-book.ts'
import type { TextPlace } from '../../flows/prices/parse-price-book-place.ts'
import { Flag } from '../api/parameters.ts'
import { HTTP_PROBLEMS, HttpProblem, PROBLEM_TYPE, problemBody } from '../api/problem.ts'
import { route } from '../route.ts'
import { Nullable, Text, Time } from '../api/views.ts'
import { ChangeView, VersionNumber } from './price-versions.ts'

/** Bytes of the body: more than a price book may have, so that one that is too large is told as all else is. */
const PRICE_BOOK_BODY_BYTES_MAX = 2 * 1024 * 1024
/** JSON is YAML. */
const TYPES = /^(?:application\/(?:yaml|x-yaml|json)|text\/(?:yaml|x-yaml|plain))$/

const FINDING = {
  code: Text,
  line: Type.Integer({ minimum: 1, description: 'In the text that was sent, from 1' }),
  column: Type.Integer({ minimum: 1, description: 'In UTF-16 units, from 1' }),
  message: Text,
  fix: Type.String({ description: 'What to write instead' }),
}

const PastChangeView = Type.Object({
  ...FINDING,
  item: Nullable,
  rate: Nullable,
  names: Type.Array(Text, { description: 'Operations, or an event type' }),
  hour: Type.Union([Time, Type.Null()], { description: 'The first hour that would change' }),
  was: Nullable,
  becomes: Nullable,
})

const Answer = Type.Object({
  version: Type.Integer({ description: 'That has these rules, or would have them' }),
  basedOn: Type.Integer({ description: 'The newest version before, with which it was compared' }),
  published: Type.Boolean({ description: 'By this request' }),
  firstOpenHour: Type.String({ format: 'date-time', description: 'From here on everything may change' }),
  changes: Type.Array(ChangeView),
  violations: Type.Array(PastChangeView, { description: 'What stands against it. In a dry run only' }),
  remarks: Type.Array(Type.Object(FINDING)),
})

export const postPriceBook = route({
  method: 'POST',
  url: '/v1/price-book',
  access: { scope: 'prices:write', boundKeys: 'none' },
  summary: 'Publish a price book as the next version. Nothing may change for an hour that has begun',
  query: Type.Object({
    dryRun: Type.Optional({ ...Flag, description: 'Store nothing: only say what would change' }),
    basedOn: Type.Optional({
      ...VersionNumber,
      description: 'The version that it was made from: refused if another one was published meanwhile',
    }),
  }),
  body: { 'application/yaml': Type.String() },
  bodyBytesMax: PRICE_BOOK_BODY_BYTES_MAX,
  answers: { 200: Answer, 201: Answer },
  async handle({ query, body, key, request, reply }, { writing }) {
    requireYaml(request.headers['content-type'])
    const published = await publishPriceBook(writing, {
      source: body,
      file: 'body',
      actor: key!.id,
      dryRun: query.dryRun === 'true',
      basedOn: query.basedOn,
    })
    if (!published.ok) return refuse(published, reply)
    return reply.code(published.outcome === 'published' ? 201 : 200).send(publishedView(published))
  },
})

function requireYaml(contentType: string | undefined): void {
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (TYPES.test(type)) return
  const detail = 'The body is no price book by its Content-Type: send application/yaml.'
  throw new HttpProblem('request/unsupported_media_type', detail)
}

type Ok = Extract<PublishedPriceBook, { readonly ok: true }>
type Refused = Exclude<PublishedPriceBook, Ok>

function publishedView({ version, basedOn, outcome, firstOpenHour, ...lists }: Ok) {
  return {
    version,
    basedOn,
    published: outcome === 'published',
    firstOpenHour: formatHourStart(firstOpenHour),
    changes: lists.changes.map(priceBookChangeView),
    violations: lists.pastChanges.map(findingView),
    remarks: lists.remarks.map(findingView),
  }
}

interface Finding {
  readonly code: string
  readonly place: TextPlace
  readonly message: string
  readonly fix: string
}

/** What is wrong and where; for a change of the past also what it concerns. */
function findingView(finding: Finding | Ok['pastChanges'][number]) {
  const { code, place, message, fix } = finding
  const { line, column } = place
  const view = { code, line, column, message, fix }
  if (!('hour' in finding)) return view
  const { item, rate, names, hour, was, becomes } = finding
  return { ...view, item, rate, names, hour: formatHourStart(hour), was, becomes }
}

/** A problem of RFC 9457 with all that is wrong in `problems`, or the newest version in `newest`. */
function refuse(refused: Refused, reply: FastifyReply) {
  const { code, detail } = refused
  const { status, title } = HTTP_PROBLEMS[code]
  const more =
    'problems' in refused ? { problems: refused.problems.map(findingView) } : { newest: refused.newest }
  return reply
    .code(status)
    .type(PROBLEM_TYPE)
    .send({ ...problemBody(status, title, code, detail), ...more })
}
