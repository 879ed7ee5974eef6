import type { TSchema } from 'typebox'
import { REQUEST_ID_HEADER } from '../request-id.ts'
import type { Route } from '../route.ts'
import { EXAMPLES } from './openapi-examples.ts'
import { Problem, shortened } from './openapi-schemas.ts'
import { HTTP_PROBLEMS, type HttpProblemCode, PROBLEM_TYPE } from './problem.ts'

/** Problems that many operations have in common, by status: a name, when it happens, and an example of its code. */
const PROBLEMS: Readonly<
  Record<number, readonly [name: string, description: string, code: HttpProblemCode, detail: string]>
> = {
  400: [
    'BadRequest',
    'Something in the request cannot be used',
    'request/unknown_parameter',
    'There is no parameter "acount": did you mean account?',
  ],
  401: [
    'Unauthorized',
    'There is no valid key',
    'auth/missing_key',
    'Send the header Authorization: Bearer with a key.',
  ],
  403: [
    'Forbidden',
    'The key does not allow this',
    'auth/missing_scope',
    'The key lacks the scope admin: use one that has it.',
  ],
  404: [
    'NotFound',
    'There is nothing of this name that the key may see',
    'bill/not_found',
    'There is no bill with this id: see /v1/bills for those there are.',
  ],
  410: [
    'Gone',
    'What was asked for is there no more',
    'usage/answer_gone',
    'The figures have changed since the first page: ask again from the first page.',
  ],
  409: [
    'Conflict',
    'What is there, or in progress, stands against it',
    'idempotency/in_progress',
    'The first request with this Idempotency-Key is still worked on: send it again a little later.',
  ],
  413: [
    'TooLarge',
    'The body is larger than the operation takes',
    'request/too_large',
    'The body is larger than 65536 bytes: send it in parts, in several requests.',
  ],
  415: [
    'UnsupportedMediaType',
    'The body is of another type, or packed in another way',
    'request/unsupported_media_type',
    'The header Content-Type is missing or not one of this route.',
  ],
  422: [
    'Unprocessable',
    'It can be read, and not be done',
    'idempotency/other_request',
    'Another request had this Idempotency-Key within the last 24 hours: send the same request again, or a new key.',
  ],
  429: [
    'TooManyRequests',
    'More comes in than can be stored: send it again after Retry-After',
    'ingest/overloaded',
    'Too many large bodies are arriving at once: send it again a little later.',
  ],
  500: [
    'Bug',
    'Farthing has failed, and has logged it',
    'service/bug',
    'This is a bug, and it has been logged under the id 9f3c0000002a: please report it.',
  ],
  503: [
    'Unavailable',
    'The database cannot be reached, or the answer took too long: try again after Retry-After',
    'service/unavailable',
    'The database cannot be reached: try again.',
  ],
}

const HEADERS = {
  [REQUEST_ID_HEADER]: { schema: { type: 'string' }, description: 'Names the request' },
}
const RETRY_AFTER = { 'retry-after': { schema: { type: 'integer' }, description: 'Seconds' } }
const TAG_HEADERS = {
  etag: { schema: { type: 'string' }, description: 'Names what the answer says' },
  'cache-control': { schema: { type: 'string' } },
}

function problemResponse(status: number, schema: TSchema = Problem, isOwn = true): object {
  const [, description, code, detail] = PROBLEMS[status]!
  const { title } = HTTP_PROBLEMS[code]
  const example = { type: 'about:blank', title, status, code, detail, requestId: '9f3c0000002a' }
  return {
    description,
    headers: { ...HEADERS, ...(status === 429 || status === 503 ? RETRY_AFTER : {}) },
    content: {
      [isOwn ? PROBLEM_TYPE : 'application/json']: {
        schema: shortened(schema),
        ...(isOwn ? { example } : {}),
      },
    },
  }
}

/** components/responses of openapi.json. */
export const PROBLEM_RESPONSES: Readonly<Record<string, object>> = Object.fromEntries(
  Object.keys(PROBLEMS).map((status) => [PROBLEMS[Number(status)]![0], problemResponse(Number(status))]),
)

/** Everything that an operation answers. */
export function responsesOf(route: Route): object {
  const good = Object.entries(route.answers).map(([status, schema]) => [
    status,
    goodResponse(route, Number(status), schema),
  ])
  const tagged = route.tagged
    ? [['304', { description: 'The client has it already', headers: { ...HEADERS, ...TAG_HEADERS } }]]
    : []
  const bad = problemStatuses(route)
    .filter((status) => !(status in route.answers))
    .map((status) => [status, route.problem ? problemResponse(status, route.problem, false) : refTo(status)])
  return Object.fromEntries([...good, ...tagged, ...bad])
}

function refTo(status: number): object {
  return { $ref: `#/components/responses/${PROBLEMS[status]![0]}` }
}

function problemStatuses({ access, params, body, idempotent, refusals = [] }: Route): readonly number[] {
  const statuses = [
    400,
    ...(access === 'open' ? [] : [401, 403]),
    ...(params ? [404] : []),
    ...(body ? [413, 415] : []),
    ...(idempotent ? [409, 422] : []),
    ...refusals,
    500,
    503,
  ]
  return [...new Set(statuses)].sort((a, b) => a - b)
}

const DONE: Readonly<Record<number, string>> = {
  200: 'The answer',
  201: 'It is made',
  202: 'All are stored',
  204: 'Done',
  503: 'Not ready, and why',
}

function goodResponse(route: Route, status: number, schema: TSchema): object {
  const { type, description } = schema as { readonly type?: string; readonly description?: string }
  const head = {
    description: description ?? DONE[status] ?? 'The answer',
    headers: { ...HEADERS, ...(route.tagged ? TAG_HEADERS : {}) },
  }
  if (type === 'null') return head
  const answer = EXAMPLES[`${route.method} ${route.url}`]?.answer
  const types = route.files ?? [type === 'string' ? 'text/plain' : 'application/json']
  const example = answer === undefined || status >= 300 ? {} : { example: answer }
  const content = types.map((each) => [each, { schema: shortened(schema), ...example }])
  return { ...head, content: Object.fromEntries(content) as object }
}
