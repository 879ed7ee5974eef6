import type { DeliveryAnswer, SentDelivery } from '../http/body/delivery-types.ts'
import type { HttpProblemCode } from '../http/api/problem.ts'
import type { TakenAccounts } from '../flows/accounts/account-rules.ts'
import type { Connection } from '../store/connect.ts'
import type { Trouble } from '../store/trouble.ts'

/** What a thread needs to take deliveries: plain data. */
export interface IngestSetup {
  /** Of the embedded database, or the URL of the user's own: what becomes of that may not be plain data. */
  readonly database: Connection | string
  readonly taken: TakenAccounts
  /** Of the database, at most. */
  readonly sessions: number
  readonly backfillReachMs?: number
  readonly seriesMax?: number
  /** Events of large deliveries that may wait in this thread. */
  readonly waitingMax: number
}

/** To the thread. The bytes of a body are moved to it, and copied only if their memory holds something else. */
export interface TakeTask {
  readonly kind: 'take'
  readonly number: number
  readonly sent: Omit<SentDelivery, 'body'>
  readonly body: Uint8Array<ArrayBuffer>
}

/** From the thread. */
export type IngestReport = DeliveryReport | StoringReport

/** A group of events was stored; or not, and this is why. */
export interface StoringReport {
  readonly kind: 'storing'
  readonly trouble: Trouble | undefined
}

/** Of one delivery. */
export type DeliveryReport =
  /** Its body is read: from now on its events may be stored, and the next one can be read. */
  | { readonly kind: 'read'; readonly number: number }
  | { readonly kind: 'answer'; readonly number: number; readonly answer: DeliveryAnswer }
  /** HttpProblem: what a request is answered. */
  | {
      readonly kind: 'problem'
      readonly number: number
      readonly code: HttpProblemCode
      readonly detail: string
      readonly headers: Readonly<Record<string, string>>
    }
  /** A bug that fails one delivery. Others end the thread. */
  | { readonly kind: 'bug'; readonly number: number; readonly error: unknown }
