import {
  claimIdempotentRequest,
  deleteIdempotentClaim,
  deleteOldIdempotentRequests,
  findIdempotentRequest,
  type IdempotentRequest,
  updateIdempotentAnswer,
} from '../../store/idempotent-requests.ts'
import { run, runOne, type Sql } from '../../store/query.ts'

export type { IdempotentRequest } from '../../store/idempotent-requests.ts'

/** So long a request is remembered: clients give up repeating it long before. */
export const IDEMPOTENT_REQUEST_KEPT_MS = 24 * 3_600_000
/** Longer than any request is worked on. Then its process is gone, and a repeat does the work again. */
export const IDEMPOTENT_WORK_MS = 120_000

export interface StoredAnswer {
  readonly status: number
  /** JSON. */
  readonly text: string
}

/** `new`: the caller has it, and ends it with `keepAnswer` or `giveBack`. The other states are those of a repeat. */
export type Claim =
  | { readonly state: 'new' | 'working' | 'other_request' }
  | { readonly state: 'answered'; readonly answer: StoredAnswer }

/**
 * Take a request that may be a repeat. In a transaction, a repeat at the same moment waits for its end.
 * @param sql a transaction, if the work is one; its rollback gives the request back
 */
export async function claimRequest(sql: Sql, request: IdempotentRequest): Promise<Claim> {
  const limits = { keptMs: IDEMPOTENT_REQUEST_KEPT_MS, workMs: IDEMPOTENT_WORK_MS }
  if (await runOne(sql, claimIdempotentRequest, { ...request, ...limits })) return { state: 'new' }
  const found = await runOne(sql, findIdempotentRequest, request)
  // It was given back between the two statements: the process that had it has done nothing.
  if (found === undefined) return { state: 'working' }
  if (!found.digest.equals(request.digest)) return { state: 'other_request' }
  if (found.status === null) return { state: 'working' }
  return { state: 'answered', answer: { status: found.status, text: found.answer ?? '' } }
}

export async function keepAnswer(sql: Sql, request: IdempotentRequest, answer: StoredAnswer): Promise<void> {
  await run(sql, updateIdempotentAnswer, { ...request, status: answer.status, answer: answer.text })
}

/** The work was refused, or failed: a repeat is judged again. */
export async function giveBack(sql: Sql, request: IdempotentRequest): Promise<void> {
  await run(sql, deleteIdempotentClaim, request)
}

export async function forgetOldRequests(sql: Sql): Promise<void> {
  await run(sql, deleteOldIdempotentRequests, { keptMs: IDEMPOTENT_REQUEST_KEPT_MS })
}
