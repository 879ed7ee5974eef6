import type { TroubleCode } from '../../store/trouble.ts'
import type { Rejection } from '../../core/ingest/rejection.ts'
import type { Json } from '../../core/text/canonical-json.ts'

/** What became of a delivered event. Each ends in exactly one (ARCHITECTURE.md). */
export type Outcome = 'accepted' | 'duplicate' | 'conflict' | 'held' | 'rejected'

/** One element of a delivery: parsed JSON, or a part of it that could not be read. */
export type Delivered =
  | {
      readonly raw: Json
      /** Its protocol may leave the time out, and it has none: the time of receipt is used, and not compared. */
      readonly untimed?: true
    }
  | {
      readonly unreadable: Rejection
      readonly text: string
      /** The attributes of it that could be read, for who sent it and which one it is. */
      readonly named?: Json
    }

export interface EventResult {
  readonly outcome: Outcome
  /** As far as it could be read. */
  readonly id: string | null
  /** For every outcome but duplicate; for accepted, where there is something to remark. */
  readonly code: string | null
  readonly detail: string | null
}

/** Nothing of the delivery was stored, or it is not known whether it was: send it again. */
export interface NotSubmitted {
  readonly ok: false
  readonly code: 'ingest/overloaded' | 'ingest/unavailable' | 'ingest/stopping' | TroubleCode
  readonly detail: string
  readonly retryAfterSeconds: number
}

export type Submitted = { readonly ok: true; readonly results: readonly EventResult[] } | NotSubmitted

export interface SubmitOptions {
  /** The name of the import that sends it; '' for any other sender. */
  readonly writer?: string | undefined
  /** Who sends it: senders take turns, and the one with the most waiting gives way when too much waits. */
  readonly sender?: string | undefined
}

/** Takes deliveries and answers when they are durable. */
export interface Ingest {
  /**
   * Store a delivery. It may share a transaction with others; the answer comes after the commit.
   * @param boundAccount the only account that the sender's key may send for; undefined: any
   * @returns one result for each element, in order
   */
  submit(
    batch: readonly Delivered[],
    boundAccount: string | undefined,
    options?: SubmitOptions,
  ): Promise<Submitted>
  /** Refuse new deliveries, and wait for those that were taken. */
  close(): Promise<void>
}
