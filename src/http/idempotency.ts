import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { invariant } from '../core/invariant.ts'
import {
  type Claim,
  claimRequest,
  giveBack,
  type IdempotentRequest,
  keepAnswer,
  type StoredAnswer,
} from '../flows/shared/idempotent-requests.ts'
import { HttpProblem } from './api/problem.ts'
import type { Call, HttpContext, Reply, Route } from './route.ts'

/** Characters of an Idempotency-Key. */
export const IDEMPOTENCY_KEY_LENGTH_MAX = 255
const SANE = new RegExp(`^[\\x21-\\x7e]{1,${IDEMPOTENCY_KEY_LENGTH_MAX}}$`)

type Handle = Route['handle']

/** What a route does, done once for an Idempotency-Key: a repeat of the request gets the same answer. */
export function onlyOnce(route: Pick<Route, 'handle'>): Handle {
  return (call, context) => {
    const request = idempotentRequest(call)
    return request === undefined
      ? route.handle(call, context)
      : answerOnce(request, call, context, () => route.handle(call, context))
  }
}

async function answerOnce(
  request: IdempotentRequest,
  call: Call<unknown, unknown>,
  context: HttpContext,
  work: () => unknown,
): Promise<unknown> {
  const { writing } = context
  const { reply } = call
  const taken = await takeRequest(writing, request)
  if (taken.state === 'answered') return repeatAnswer(reply, taken.answer)
  const { claim } = taken
  try {
    const value = await work()
    invariant(
      value !== undefined && value !== reply,
      'an idempotent route returns its answer, and throws its refusal',
    )
    await keepAnswer(writing, claim, { status: reply.statusCode, text: JSON.stringify(value) })
    return value
  } catch (error) {
    await giveBack(writing, claim)
    throw error
  }
}

/** Takes the request, or finds what was answered to it. */
export async function takeRequest(
  sql: Parameters<typeof claimRequest>[0],
  request: IdempotentRequest,
): Promise<Extract<Claim, { state: 'new' | 'answered' }>> {
  const claim = await claimRequest(sql, request)
  if (claim.state === 'new' || claim.state === 'answered') return claim
  if (claim.state === 'working') {
    const detail =
      'The first request with this Idempotency-Key is still worked on: send it again a little later.'
    throw new HttpProblem('idempotency/in_progress', detail, { 'retry-after': '1' })
  }
  const detail =
    'Another request had this Idempotency-Key within the last 24 hours: send the same request again, or a new key.'
  throw new HttpProblem('idempotency/other_request', detail)
}

function repeatAnswer(reply: Reply, { status, text }: StoredAnswer): Reply {
  void reply.header('idempotent-replayed', 'true')
  return reply.code(status).type('application/json; charset=utf-8').send(text)
}

/** Undefined for a request without the header, and for a dry run, which does nothing. */
export function idempotentRequest({
  request,
  body,
  key,
}: Pick<Call<unknown, unknown>, 'request' | 'body' | 'key'>): IdempotentRequest | undefined {
  const name = request.headers['idempotency-key']
  if (name === undefined || isDryRun(request)) return undefined
  if (typeof name !== 'string' || !SANE.test(name)) {
    const form = `1 to ${IDEMPOTENCY_KEY_LENGTH_MAX} visible ASCII characters`
    const detail = `The header Idempotency-Key is not ${form}: send it once, such as a UUID.`
    throw new HttpProblem('idempotency/invalid_key', detail)
  }
  const digest = createHash('sha256').update(`${request.method} ${request.url}\n`).update(body).digest()
  return { actor: key!.id, name, digest }
}

function isDryRun({ query }: FastifyRequest): boolean {
  return (query as { readonly dryRun?: unknown }).dryRun === 'true'
}
