import { priceBookChangeView } from '../../core/present/price-book-changes.ts'
import { formatHourStart } from '../../core/time/hour.ts'
import { type PublishedPriceBook, publishPriceBook } from '../../flows/prices/publish-price-book.ts'
import type { TextPlace } from '../../flows/prices/parse-price-book-place.ts'
import { PostPriceBook } from '../../api/price-book.ts'
import { HttpProblem } from '../api/problem.ts'
import { route } from '../route.ts'

/** Bytes of the body: more than a price book or list may have, so that one that is too large is told as all else is. */
export const PRICES_BODY_BYTES_MAX = 2 * 1024 * 1024
/** JSON is YAML. */
const TYPES = /^(?:application\/(?:yaml|x-yaml|json)|text\/(?:yaml|x-yaml|plain))$/

export const postPriceBook = route({
  ...PostPriceBook,
  access: { scope: 'prices:write', boundKeys: 'none' },
  bodyBytesMax: PRICES_BODY_BYTES_MAX,
  async handle({ query, body, key, request, reply }, { writing }) {
    requireYaml(request.headers['content-type'])
    const published = await publishPriceBook(writing, {
      source: body,
      file: 'body',
      actor: key!.id,
      dryRun: query.dryRun === 'true',
      basedOn: query.basedOn,
    })
    if (!published.ok) throw problemOf(published)
    void reply.code(published.outcome === 'published' ? 201 : 200)
    return publishedView(published)
  },
})

export function requireYaml(contentType: string | undefined): void {
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (TYPES.test(type)) return
  const detail = 'The body is no YAML by its Content-Type: send application/yaml.'
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
    violations: lists.pastChanges.map(pastChangeView),
    remarks: lists.remarks.map(findingView),
  }
}

interface Finding {
  readonly code: string
  readonly place: TextPlace
  readonly message: string
  readonly fix: string
}

/** What is wrong, and where. */
function findingView({ code, place, message, fix }: Finding) {
  return { code, line: place.line, column: place.column, message, fix }
}

/** The same, and what it concerns. */
function pastChangeView(change: Ok['pastChanges'][number]) {
  const { item, rate, names, hour, was, becomes } = change
  return { ...findingView(change), item, rate, names, hour: formatHourStart(hour), was, becomes }
}

/** With all that is wrong in `problems`, or the newest version in `newest`. */
function problemOf(refused: Refused): HttpProblem {
  const more =
    'problems' in refused
      ? { problems: refused.problems.map((one) => ('hour' in one ? pastChangeView(one) : findingView(one))) }
      : { newest: refused.newest }
  return new HttpProblem(refused.code, refused.detail, {}, more)
}
