import Type from 'typebox'
import { formatInstant, type Instant } from '../../core/time/instant.ts'
import { describeMeter, listMeters, type Meter } from '../../flows/read/list-meters.ts'
import { Flag, PAGE, PAGE_MAX, parameter } from '../../api/parameters.ts'
import { HttpProblem } from '../api/problem.ts'
import { route } from '../route.ts'
import { Meter as MeterOfClient } from './compat-schemas.ts'
import { answerOpenmeterProblem } from './openmeter-problem.ts'

/** What there is to ask for follows from the price book, which is for everyone who pays by it. */
const ACCESS = { scope: 'usage:read', boundKeys: 'same' } as const

/** By what a query can group, and where events have it. */
const GROUP_BY = { operation: '$.operation', project: '$.project', region: '$.region' }

const ORDERS = ['key', 'name', 'aggregation', 'createdAt', 'updatedAt'] as const

const Query = Type.Object({
  page: Type.Optional(
    parameter(
      Type.Integer({ minimum: 1, maximum: 1_000_000, default: 1 }),
      'send the number of a page, from 1',
    ),
  ),
  pageSize: Type.Optional(
    parameter(
      Type.Integer({ minimum: 1, maximum: PAGE_MAX, default: PAGE, description: 'Meters in this page' }),
      `send a whole number from 1 to ${PAGE_MAX}`,
    ),
  ),
  order: Type.Optional(parameter(Type.Enum(['ASC', 'DESC']), 'send ASC or DESC')),
  orderBy: Type.Optional(parameter(Type.Enum([...ORDERS]), `send one of ${ORDERS.join(', ')}`)),
  includeDeleted: Type.Optional({ ...Flag, description: 'Changes nothing: no meter is ever deleted' }),
})

/** What can be asked for, for clients of OpenMeter. */
export const getMeters = route({
  method: 'GET',
  url: '/api/v1/meters',
  access: ACCESS,
  tag: 'Other clients',
  summary: 'The items of the price book, and their rates, as the meters of an OpenMeter client',
  description:
    'Lists what can be asked for as a meter: each item of the newest price book, and its rates where it has several.',
  query: Query,
  answers: { 200: Type.Array(MeterOfClient) },
  answerProblem: answerOpenmeterProblem,
  async handle({ query }, { reading }) {
    const { page = 1, pageSize = PAGE, order = 'ASC', orderBy = 'key' } = query
    const { meters, publishedAt } = await listMeters(reading)
    const views = meters.map((meter) => meterView(meter, publishedAt))
    const member = orderBy === 'key' ? 'slug' : orderBy
    // Equal ones keep their order, that of their slugs.
    views.sort((a, b) => (a[member] < b[member] ? -1 : Number(a[member] > b[member])))
    if (order === 'DESC') views.reverse()
    return views.slice((page - 1) * pageSize, page * pageSize)
  },
})

export const getMeter = route({
  method: 'GET',
  url: '/api/v1/meters/:slug',
  access: ACCESS,
  tag: 'Other clients',
  summary: 'One of these meters',
  description: 'Gives one meter by its slug, which is also its id.',
  refusals: [422],
  params: Type.Object({ slug: Type.String({ description: 'An item of the price book, or item.rate' }) }),
  answers: { 200: MeterOfClient },
  answerProblem: answerOpenmeterProblem,
  async handle({ params }, { reading }) {
    const found = await describeMeter(reading, params.slug)
    if (!found.ok) throw new HttpProblem(found.code, found.detail)
    return meterView(found.meter, found.publishedAt)
  },
})

function meterView(
  { slug, unit, eventType, isCount, valueProperty }: Meter,
  publishedAt: Instant,
): MeterOfClient {
  const at = formatInstant(publishedAt)
  return {
    id: slug,
    slug,
    name: slug,
    description: `The billed quantity of ${slug}, in ${unit}`,
    aggregation: isCount ? 'COUNT' : 'SUM',
    eventType,
    ...(valueProperty === undefined ? {} : { valueProperty }),
    groupBy: GROUP_BY,
    metadata: { unit },
    createdAt: at,
    updatedAt: at,
  }
}
