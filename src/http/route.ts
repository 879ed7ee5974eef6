import type { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import Type, { type Static, type TObject, type TSchema } from 'typebox'
import type { AnswerOf, Endpoint } from '../api/endpoint.ts'
import type { Ingest } from '../flows/ingest/ingest-types.ts'
import type { Trial } from '../flows/ingest/dry-run.ts'
import type { Key, Scope } from '../flows/keys/key-scopes.ts'
import type { KeyRing } from '../flows/keys/find-key.ts'
import type { LogIdentity } from '../flows/log/log-identity.ts'
import type { Log } from '../store/connect.ts'
import type { Instant } from '../core/time/instant.ts'
import type { LargeDeliveries } from './body/delivery-types.ts'
import type { HttpProblem } from './api/problem.ts'
import type { Gates } from './limits/gates.ts'
import type { Metrics } from './metrics.ts'
import type { Pool } from '../store/reading-pool.ts'

/** What a server is made of. */
export interface HttpParts {
  readonly reading: Pool
  /** For keys and probes, which never wait for questions. */
  readonly probes: Pool
  /** For the few things that are written here: keys, and the end of an import. */
  readonly writing: Pool
  readonly keys: KeyRing
  readonly gates: Gates
  readonly ingest: Ingest
  /** Takes large deliveries elsewhere, if it can; undefined: `ingest` takes all. */
  readonly large?: LargeDeliveries
  /** What sending would do, without doing it. */
  readonly trial: Trial
  readonly log: Log
  /** Who this process is to the transparency log; undefined: it has no keys. */
  readonly identity?: LogIdentity
  /** Is that log served to anybody? Else to those with a key. */
  readonly isLogPublic?: boolean
  /** This process's clock: for `expiresAt` and figures, never for what is billed. */
  readonly now: () => Instant
  /** After the end of its hour, sealing is due. */
  readonly graceMs: number
  /** The only hosts that requests may be for, besides this machine itself; undefined: any. */
  readonly hosts?: readonly string[] | undefined
  /** Of the embedded PostgreSQL, whose disk is this machine's; undefined: the database is the user's own. */
  readonly dataDir?: string | undefined
}

/** What answers are made from. */
export interface HttpContext extends HttpParts {
  readonly metrics: Metrics
}

/**
 * Who may use a route. Each states it, or the server does not start.
 *
 * `open`: anyone. Otherwise a valid key with the scope (`any`: whatever its scopes are). `boundKeys` says what a key
 * bound to an account gets: `own` (nothing but its account's; the route takes the account from `accountOf` or refuses
 * foreign ids as unknown), `same` (what everyone gets: none of it belongs to an account) or `none` (403).
 */
export type Access =
  | 'open'
  | {
      readonly scope: Scope | 'any'
      readonly boundKeys: 'own' | 'same' | 'none'
      /** The key may also come as the user name of HTTP Basic: for clients that know no other way. */
      readonly basic?: true
      /** Anyone, without a key, where the log is public: FARTHING_LOG_PUBLIC. */
      readonly openAsLog?: true
    }

export type Reply = FastifyReply

/** One request, read. */
export interface Call<Query, Params> {
  readonly query: Query
  readonly params: Params
  /** Unpacked; empty without one. */
  readonly body: Buffer
  /** Undefined on open routes alone. */
  readonly key: Key | undefined
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

export interface RouteSpec<
  Query extends TObject,
  Params extends TObject,
  Answers extends Readonly<Record<number, TSchema>>,
> extends Endpoint {
  readonly query?: Query
  readonly params?: Params
  readonly answers: Answers
  readonly access: Access
  /** Bytes of the body as it is sent; undefined: that of the server, enough for a description. */
  readonly bodyBytesMax?: number
  /** No answer is long enough to be packed, so nothing looks whether it is. */
  readonly answersAreSmall?: true
  /** It reads the ledger, although it is no GET: it waits for its turn as questions do. */
  readonly asks?: true
  /** It never waits for questions. */
  readonly isProbe?: true
  /** Its handler looks for repeats itself, if it is `idempotent`. */
  readonly findsRepeats?: true
  /** The shape of its problems, if it is not that of RFC 9457. */
  readonly problem?: TSchema
  /** Answers problems in the shape of a compatible protocol; without it, as RFC 9457 says. */
  readonly answerProblem?: (problem: HttpProblem, request: FastifyRequest, reply: FastifyReply) => unknown
  /** What it gives is the answer, as JSON; or the reply, when it has answered by itself; or a stream of bytes. */
  handle(call: Call<Static<Query>, Static<Params>>, context: HttpContext): Answer<Answers>
}

/** The compiler holds what is answered and what is declared together. */
type Answer<Answers extends Readonly<Record<number, TSchema>>> =
  AnswerOf<Answers> | Reply | Promise<AnswerOf<Answers> | Reply | Readable>

/** A route as the server registers it: its types are its own business. */
export interface Route extends Omit<RouteSpec<TObject, TObject, Endpoint['answers']>, 'handle'> {
  handle(call: Call<unknown, unknown>, context: HttpContext): unknown
}

export function route<
  const Answers extends Readonly<Record<number, TSchema>>,
  Query extends TObject = TObject<{}>,
  Params extends TObject = TObject<{}>,
>(spec: RouteSpec<Query, Params, Answers>): Route {
  return spec
}

export const NO_PARAMETERS = Type.Object({})
