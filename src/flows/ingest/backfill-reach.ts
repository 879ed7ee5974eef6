import { reject, type Rejection } from '../../core/ingest/rejection.ts'
import { formatInstant, type Instant } from '../../core/time/instant.ts'

/** When and by whom a delivery was sent. */
export interface SentBy {
  readonly receivedAt: Instant
  readonly boundAccount: string | undefined
  readonly writer: string
}

/**
 * Why usage of this time is not taken as new; undefined: it is. An import by a key of all accounts may be of any time:
 * its sender is the one who answers for the tables that old usage needs.
 * @param reachMs how far back other keys may send; undefined: as far as they like
 */
export function refuseTooOld(
  at: Instant,
  { receivedAt, boundAccount, writer }: SentBy,
  reachMs: number | undefined,
): Rejection | undefined {
  if (reachMs === undefined || (writer !== '' && boundAccount === undefined)) return undefined
  const earliest = (receivedAt - reachMs) as Instant
  if (at >= earliest) return undefined
  const detail =
    `time is ${formatInstant(at)}, and new usage is taken from ${formatInstant(earliest)} on: ` +
    'import older usage with a key of all accounts (farthing import), or raise FARTHING_BACKFILL_REACH.'
  return reject('event/too_old', detail)
}
