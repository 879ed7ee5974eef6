import type { ProcessingFact, RequestFact, StorageFact } from './facts.ts'
import type { MeterStats } from './taker.ts'

/**
 * Takes facts about usage, and sees to it that each is counted once. Calls throw MeterError sdk/invalid_fact at once
 * for what the server would reject, sdk/closed after `close`, and sdk/queue_full if that is the rule. What they return
 * never rejects: true when the fact is taken (with a spool: when it is on disk), false when it was dropped.
 */
export interface Meter {
  /** A call of the API was answered. */
  request(fact: RequestFact): Promise<boolean>
  /** An operator has completed. */
  processing(fact: ProcessingFact): Promise<boolean>
  /** A dataset stores so many bytes from now on. */
  storage(fact: StorageFact): Promise<boolean>
  /**
   * Sends everything that was taken until now, open minutes included. @returns true when the server has answered for
   * all of it, and nothing was dropped since the last flush. False when that took longer than `timeoutMs`; left out, it
   * takes as long as it takes, but ends at an answer that only a person can put right, such as 401. What was not
   * delivered is kept, and sent again
   */
  flush(options?: EndOptions): Promise<boolean>
  /**
   * Takes nothing more, sends the rest for at most `timeoutMs` (10,000), and stops. @returns false when something is
   * left, or was ever dropped: what is left is on disk if there is a spool, else it was told to `onProblem` as `unsent`
   */
  close(options?: EndOptions): Promise<boolean>
  /** Counts since the start of this meter. */
  stats(): MeterStats
}

export interface EndOptions {
  /** Milliseconds. */
  readonly timeoutMs?: number
}
