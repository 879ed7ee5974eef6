import type { Json } from '../../core/text/canonical-json.ts'
import { formatHourStart } from '../../core/time/hour.ts'
import { formatInstant } from '../../core/time/instant.ts'
import type { PlacedProblem } from '../../flows/prices/parse-price-book.ts'
import { type PublishedPriceList, publishPriceList } from '../../flows/prices/publish-price-list.ts'
import { visibleLists } from '../../flows/prices/visible-lists.ts'
import { priceListChangeView } from '../../core/present/price-list-changes.ts'
import type { KeptPriceList } from '../../store/price-lists.ts'
import { GetPriceList, GetPriceLists, PostPriceList } from '../../api/price-lists.ts'
import { HttpProblem } from '../api/problem.ts'
import { route } from '../route.ts'
import { PRICES_BODY_BYTES_MAX, requireYaml } from './post-price-book.ts'

/** What one customer has negotiated is no other's business. */
const ACCESS = { scope: 'any', boundKeys: 'own' } as const

export const getPriceLists = route({
  ...GetPriceLists,
  access: ACCESS,
  async handle({ key }, { reading }) {
    return { items: (await visibleLists(reading, key?.account)).map(headView) }
  },
})

export const getPriceList = route({
  ...GetPriceList,
  access: ACCESS,
  async handle({ params: { name }, query: { version }, key }, { reading }) {
    const found = (await visibleLists(reading, key?.account, version)).find((list) => list.name === name)
    if (found) return { ...headView(found), list: JSON.parse(found.list) as Json }
    throw new HttpProblem('price_list/not_found', 'There is no price list of this name: see /v1/price-lists.')
  },
})

export const postPriceList = route({
  ...PostPriceList,
  access: { scope: 'prices:write', boundKeys: 'none' },
  bodyBytesMax: PRICES_BODY_BYTES_MAX,
  async handle({ params: { name }, query, body, key, request, reply }, { writing }) {
    requireYaml(request.headers['content-type'])
    const dryRun = query.dryRun === 'true'
    const published = await publishPriceList(writing, {
      name,
      source: body,
      actor: key!.id,
      dryRun,
      basedOn: query.basedOn,
    })
    if (!published.ok) throw problemOf(published)
    void reply.code(published.outcome === 'published' ? 201 : 200)
    const { version, basedOn, outcome, firstOpenHour, changes, problems } = published
    return {
      name,
      version,
      basedOn,
      published: outcome === 'published',
      firstOpenHour: formatHourStart(firstOpenHour),
      changes: changes.map(priceListChangeView),
      violations: problems.map(findingView),
    }
  },
})

function headView({ name, version, publishedAt, publishedBy, digest }: KeptPriceList) {
  return { name, version, publishedAt: formatInstant(publishedAt), publishedBy, digest }
}

function findingView({ code, place, message, fix }: PlacedProblem) {
  return { code, line: place.line, column: place.column, message, fix }
}

function problemOf(refused: Exclude<PublishedPriceList, { readonly ok: true }>): HttpProblem {
  const more =
    'problems' in refused ? { problems: refused.problems.map(findingView) } : { newest: refused.newest }
  return new HttpProblem(refused.code, refused.detail, {}, more)
}
