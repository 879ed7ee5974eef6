import { readFileSync } from 'node:fs'
import type { TSchema } from 'typebox'
import { type Endpoint, TAGS } from '../../api/endpoint.ts'
import { projectFile } from '../../flows/shared/project-file.ts'
import { REQUEST_ID_HEADER } from '../request-id.ts'
import type { Route } from '../route.ts'
import { EXAMPLES } from './openapi-examples.ts'
import { plainSchema, schemasUsedIn, shortened } from './openapi-schemas.ts'
import { PROBLEM_RESPONSES, responsesOf } from './openapi-responses.ts'

export interface OpenApi {
  readonly openapi: '3.1.0'
  readonly info: object
  readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>>
  readonly [member: string]: unknown
}

/** What the rest of an address is called. */
const REST = 'path'

/** The document that describes every route: made once, when the server is. */
export function describeApi(routes: readonly Route[]): OpenApi {
  const paths: Record<string, Record<string, object>> = {}
  for (const route of routes) {
    const path = route.url.replace(/:(\w+)/g, '{$1}').replace('*', `{${REST}}`)
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Farthing',
      version: version(),
      description:
        'Meters and bills APIs that are paid by use. Quantities and money are decimal strings. Ranges of time are half-open.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      contact: { name: 'The maintainers of Farthing' },
    },
    servers: [{ url: '/', description: 'This server' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: SECURITY,
      responses: PROBLEM_RESPONSES,
      schemas: schemasUsedIn({ paths, PROBLEM_RESPONSES }),
    },
  }
}

function version(): string {
  const { version: own } = JSON.parse(readFileSync(projectFile('package.json'), 'utf8')) as {
    version: string
  }
  return own
}

const SECURITY = {
  key: { type: 'http', scheme: 'bearer', description: 'A key: frt_…' },
  keyAsUser: { type: 'http', scheme: 'basic', description: 'The key as the user name, without a password' },
}

function operationOf(route: Route): object {
  const { method, url, access, tag, summary, description, body } = route
  const parameters = [...parametersOf(route), ...headersOf(route)]
  return {
    operationId: operationId(method, url),
    tags: [tag],
    summary,
    description,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body ? { requestBody: { required: true, content: contentOf(route, body) } } : {}),
    responses: responsesOf(route),
    security: access === 'open' ? [] : [{ key: [] }, ...(access.basic ? [{ keyAsUser: [] }] : [])],
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

function parametersOf({ params, query }: Endpoint): readonly object[] {
  return [
    ...Object.entries(params?.properties ?? {}).map(([name, schema]) =>
      parameterOf('path', name === '*' ? REST : name, schema, true),
    ),
    ...Object.entries(query?.properties ?? {}).map(([name, schema]) =>
      parameterOf('query', name, schema, required(query).has(name)),
    ),
  ]
}

function required(schema: TSchema | undefined): ReadonlySet<string> {
  const names: unknown = schema && 'required' in schema ? schema.required : []
  return new Set(names as readonly string[])
}

function parameterOf(
  place: 'path' | 'query' | 'header',
  name: string,
  schema: object,
  isRequired: boolean,
): object {
  const { description, ...rest } = plainSchema(schema)
  return {
    name,
    in: place,
    required: isRequired,
    ...(description === undefined ? {} : { description }),
    schema: shortened(rest),
  }
}

const REQUEST_ID = { type: 'string', description: 'Names the request in the answer and in the log' }
const IDEMPOTENCY_KEY = {
  type: 'string',
  maxLength: 255,
  description: 'A repeat with the same key does nothing again, and gets the same answer, for 24 hours',
}
const IF_NONE_MATCH = { type: 'string', description: 'The ETag of an answer that the client has' }

function headersOf({ idempotent, tagged }: Endpoint): readonly object[] {
  return [
    parameterOf('header', REQUEST_ID_HEADER, REQUEST_ID, false),
    ...(idempotent ? [parameterOf('header', 'idempotency-key', IDEMPOTENCY_KEY, false)] : []),
    ...(tagged ? [parameterOf('header', 'if-none-match', IF_NONE_MATCH, false)] : []),
  ]
}

function contentOf({ method, url }: Endpoint, body: Readonly<Record<string, TSchema>>): object {
  const examples = EXAMPLES[`${method} ${url}`]?.body ?? {}
  return Object.fromEntries(
    Object.entries(body).map(([type, schema]) => [
      type,
      { schema: shortened(schema), ...(type in examples ? { example: examples[type] } : {}) },
    ]),
  )
}
