import {
  claimIdempotentRequest,
  deleteIdempotentClaim,
  deleteOldIdempotentRequests,
  findIdempotentRequest,
  type IdempotentRequest,
  type RequestClaim,
  updateIdempotentAnswer,
} from '../../store/idempotent-requests.ts'
import { run, runOne, type Sql } from '../../store/query.ts'

export type { IdempotentRequest, RequestClaim } from '../../store/idempotent-requests.ts'

/** So long a request is remembered: clients give up repeating it long before. */
export const IDEMPOTENT_REQUEST_KEPT_MS = 24 * 3_600_000
/**
 * Longer than any request is worked on. Then its process is taken for gone, and a repeat does the work again. If it was only
 * slow, what it says about the request at its end no longer counts.
 */
export const IDEMPOTENT_WORK_MS = 120_000

export interface StoredAnswer {
  readonly status: number
  /** JSON. */
  readonly text: string
}

/** `new`: the caller has it, and ends it with `keepAnswer` or `giveBack`. The other states are those of a repeat. */
export type Claim =
  | { readonly state: 'new'; readonly claim: RequestClaim }
  | { readonly state: 'working' | 'other_request' }
  | { readonly state: 'answered'; readonly answer: StoredAnswer }

/**
 * Take a request that may be a repeat. In a transaction, a repeat at the same moment waits for its end.
 * @param sql a transaction, if the work is one; its rollback gives the request back
 */
export async function claimRequest(sql: Sql, request: IdempotentRequest): Promise<Claim> {
  const limits = { keptMs: IDEMPOTENT_REQUEST_KEPT_MS, workMs: IDEMPOTENT_WORK_MS }
  const claim = await runOne(sql, claimIdempotentRequest, { ...request, ...limits })
  const { actor, name } = request
  if (claim !== undefined) return { state: 'new', claim: { actor, name, claim } }
  const found = await runOne(sql, findIdempotentRequest, request)
  // It was given back between the two statements: the process that had it has done nothing.
  if (found === undefined) return { state: 'working' }
  if (!found.digest.equals(request.digest)) return { state: 'other_request' }
  if (found.status === null) return { state: 'working' }
  return { state: 'answered', answer: { status: found.status, text: found.answer ?? '' } }
}

/** Nothing changes if the request was taken over. */
export async function keepAnswer(sql: Sql, claim: RequestClaim, answer: StoredAnswer): Promise<void> {
  await run(sql, updateIdempotentAnswer, { ...claim, status: answer.status, answer: answer.text })
}

/** The work was refused, or failed: a repeat is judged again. Nothing changes if the request was taken over. */
export async function giveBack(sql: Sql, claim: RequestClaim): Promise<void> {
  await run(sql, deleteIdempotentClaim, claim)
}

export async function forgetOldRequests(sql: Sql): Promise<void> {
  await run(sql, deleteOldIdempotentRequests, { keptMs: IDEMPOTENT_REQUEST_KEPT_MS })
}
