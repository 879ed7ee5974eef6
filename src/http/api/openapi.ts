import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import type { FastifySchema } from 'fastify'
import Type, { type TSchema } from 'typebox'
import { PROBLEM_TYPE } from './problem.ts'
import type { Route } from '../route.ts'

export const OPENAPI: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Farthing',
      version: '1',
      description: 'Meters and bills APIs that are paid by use. Quantities and money are decimal strings.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    components: {
      securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'A key: frt_…' } },
    },
  },
}

const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({ description: 'Stable: what programs should look at' }),
    detail: Type.String({ description: 'What is wrong, where, and what to do' }),
    requestId: Type.String({
      description: 'Of the request: the header X-Request-Id, and the log, say the same',
    }),
  },
  { description: 'A problem (RFC 9457)' },
)

/** What openapi.json says of a route. */
export function describeRoute({
  method,
  url,
  access,
  summary,
  query,
  params,
  body,
  answers,
}: Route): FastifySchema {
  const responses = Object.entries(answers).map(([status, schema]) => [status, answer(schema)])
  const problem = { description: 'A problem', content: { [PROBLEM_TYPE]: { schema: Problem } } }
  return {
    operationId: operationId(method, url),
    summary,
    ...(query ? { querystring: query } : {}),
    ...(params ? { params } : {}),
    ...(body ? { body: { content: byType(body) } } : {}),
    response: { ...Object.fromEntries(responses), '4XX': problem, '5XX': problem },
    security: access === 'open' ? [] : [{ key: [] }],
  }
}

/** `GET /v1/bills/:id/lines` as `getBillsIdLines`: what generated clients call it. */
function operationId(method: string, url: string): string {
  const words = url
    .replace('/v1', '')
    .split(/[^A-Za-z]+/)
    .filter(Boolean)
  return method.toLowerCase() + words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('')
}

function answer(schema: TSchema): object {
  const { type, description } = schema as { type?: string; description?: string }
  if (type === 'null') return { description: description ?? 'Done', type: 'null' }
  const contentType = type === 'string' ? 'text/plain' : 'application/json'
  return { description: description ?? 'The answer', content: { [contentType]: { schema } } }
}

function byType(body: Readonly<Record<string, TSchema>>): object {
  return Object.fromEntries(Object.entries(body).map(([type, schema]) => [type, { schema }]))
}
