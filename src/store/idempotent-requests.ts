import type { Query } from './query.ts'

/** A request that names itself. */
export interface IdempotentRequest {
  /** Whose it is: the id of a key. */
  readonly actor: string
  readonly name: string
  /** SHA-256 of what it asks for. */
  readonly digest: Buffer
}

/** A request that is worked on, and by whom. */
export interface RequestClaim {
  readonly actor: string
  readonly name: string
  /** A UUID, of this work alone: a request that is taken over gets another one. */
  readonly claim: string
}

export interface ClaimRequest extends IdempotentRequest {
  /** What was answered longer ago is forgotten. */
  readonly keptMs: number
  /** Anyone who has worked on it for longer may be gone, and is taken over. */
  readonly workMs: number
}

/**
 * Take the work of a request, unless it was taken before: its claim if it is the caller's. While another transaction
 * takes it, this waits for its end.
 */
export const claimIdempotentRequest: Query<ClaimRequest, { claim: string }, string> = {
  name: 'claim_idempotent_request',
  text: `
    insert into idempotent_request as r (actor, name, digest)
    values ($1, $2, $3)
        on conflict (actor, name) do update
       set digest = excluded.digest, claimed_at = clock_timestamp(), claim = excluded.claim,
           status = null, answer = null
     where r.claimed_at < clock_timestamp() - $4 * interval '1 millisecond'
        or (r.status is null and r.digest = excluded.digest
            and r.claimed_at < clock_timestamp() - $5 * interval '1 millisecond')
    returning claim`,
  values: ({ actor, name, digest, keptMs, workMs }) => [actor, name, digest, keptMs, workMs],
  decode: ({ claim }) => claim,
}

export interface FoundRequest {
  readonly digest: Buffer
  /** Null while it is worked on. */
  readonly status: number | null
  readonly answer: string | null
}

/** The request of this name, in a later statement than the claim: it sees what that one has waited for. */
export const findIdempotentRequest: Query<Omit<IdempotentRequest, 'digest'>, FoundRequest, FoundRequest> = {
  name: 'find_idempotent_request',
  text: `select digest, status, answer from idempotent_request where actor = $1 and name = $2`,
  values: ({ actor, name }) => [actor, name],
  decode: (raw) => raw,
}

export interface KeepAnswer extends RequestClaim {
  readonly status: number
  readonly answer: string
}

/** Note what was answered, unless another has taken the request over. */
export const updateIdempotentAnswer: Query<KeepAnswer, never, void> = {
  name: 'update_idempotent_answer',
  text: `
    update idempotent_request set status = $4, answer = $5
     where actor = $1 and name = $2 and claim = $3`,
  values: ({ actor, name, claim, status, answer }) => [actor, name, claim, status, answer],
  decode: () => undefined,
}

/** Give a request back that has done nothing, unless another has taken it over: a repeat is judged again. */
export const deleteIdempotentClaim: Query<RequestClaim, never, void> = {
  name: 'delete_idempotent_claim',
  text: `
    delete from idempotent_request
     where actor = $1 and name = $2 and claim = $3 and status is null`,
  values: ({ actor, name, claim }) => [actor, name, claim],
  decode: () => undefined,
}

/** Forget what was claimed longer ago. By the index on that. */
export const deleteOldIdempotentRequests: Query<{ readonly keptMs: number }, never, void> = {
  name: 'delete_old_idempotent_requests',
  text: `delete from idempotent_request where claimed_at < clock_timestamp() - $1 * interval '1 millisecond'`,
  values: ({ keptMs }) => [keptMs],
  decode: () => undefined,
}
