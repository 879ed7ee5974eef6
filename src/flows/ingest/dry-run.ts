import type pg from 'pg'
import { type Quote, quote } from '../../core/rate/rating/quote.ts'
import { makeAccountMemory, type TakenAccounts } from '../accounts/account-rules.ts'
import { hourOf } from '../../core/time/hour.ts'
import { loadPaid } from '../accounts/account-pricing.ts'
import { bookOf } from '../prices/read-price-version.ts'
import { readWatermarks } from '../shared/read-deployment.ts'
import { type CycleDecision, decideCycles } from './decide-cycle.ts'
import {
  type Content,
  findKnown,
  findRefusedRepeats,
  resultOfNew,
  resultOfRefused,
  resultOfRepeat,
} from './classify.ts'
import { remarkResults } from './remark-results.ts'
import type { Delivered, EventResult } from './ingest-types.ts'
import { findTooManySeries } from './series-limit.ts'
import {
  accountNamed,
  type Candidate,
  isRefused,
  type Parsed,
  parseDelivered,
  refuseCandidate,
} from './parse.ts'

/** What would become of an event, and what it would cost by itself. */
export interface TriedEvent extends EventResult {
  /** In whose bill it would count; null for what is not new, and for what would be refused. */
  readonly cycle: CycleDecision | null
  readonly quotes: readonly Quote[]
}

export interface TriedEvents {
  /** The version that everything was judged under: the newest one. */
  readonly priceVersion: number
  readonly currency: string
  /** One for each element, in order. */
  readonly events: readonly TriedEvent[]
}

/** Says what sending would do, and stores nothing. */
export interface Trial {
  /**
   * @param boundAccount the only account that the sender's key may send for; undefined: any
   * @param sessions of this one; undefined: those of all
   * @param writer the name of the import that would send it; undefined: none
   */
  tryEvents(
    batch: readonly Delivered[],
    boundAccount: string | undefined,
    sessions?: pg.Pool,
    writer?: string,
  ): Promise<TriedEvents>
}

export interface TrialOptions {
  /** Its sessions need not be able to write. */
  readonly pool: pg.Pool
  /** Whose usage is taken; undefined: anybody's. */
  readonly taken?: TakenAccounts | undefined
  /** How far back new usage may be; undefined: as far as it likes. */
  readonly backfillReachMs?: number | undefined
  /** Series that an account may store data in; undefined: as many as it likes. */
  readonly seriesMax?: number | undefined
}

/**
 * Judges deliveries as ingest would at this moment: against the database and against what stands earlier in the same
 * delivery. The gate is not taken, so what others commit meanwhile may change an outcome; so may an hour that is sealed
 * between this and the sending. What only the attempt to store can find (`event/unstorable`) is not found.
 */
export function createTrial({ pool: all, taken = 'any', backfillReachMs, seriesMax }: TrialOptions): Trial {
  const accounts = makeAccountMemory(all, taken)

  async function tryEvents(
    batch: readonly Delivered[],
    boundAccount: string | undefined,
    pool = all,
    writer = '',
  ): Promise<TriedEvents> {
    await accounts.refresh()
    const rules = await accounts.rulesFor(batch.map(accountNamed).filter((name) => name !== undefined))
    const watermarks = await readWatermarks(pool)
    const { version, book, lists } = await bookOf(pool, watermarks.priceVersion)
    const context = { receivedAt: watermarks.now, boundAccount, writer, accounts: rules, backfillReachMs }
    const parsed = batch.map((one) => parseDelivered(book, one, context))
    const beyond = await findTooManySeries(pool, seriesMax, parsed)
    const reads = parsed.map((read, index): Parsed => {
      const rejection = isRefused(read) ? undefined : beyond.get(read)
      return isRefused(read) || !rejection ? read : refuseCandidate(batch[index]!, read, rejection)
    })
    const candidates = reads.filter((read): read is Candidate => !isRefused(read))
    const found = await findKnown(pool, candidates)
    const known = new Map([...found].map(([event, content]) => [keyName(event), content]))
    const repeats = await findRefusedRepeats(pool, reads.filter(isRefused))
    const cycleOf = await decideCycles(pool, watermarks, candidates)
    const hour = hourOf(watermarks.now)
    const paid = await loadPaid(
      pool,
      { book, lists, hour },
      candidates.map(({ account }) => account),
    )
    const results = reads.map((read): TriedEvent => {
      if (isRefused(read)) return { ...(repeats.get(read) ?? resultOfRefused(read)), ...NOTHING }
      const result = tellApart(known, read)
      const isNew = result.outcome === 'accepted' || result.outcome === 'held'
      if (!isNew) return { ...result, ...NOTHING }
      return { ...result, cycle: cycleOf(read), quotes: quote(paid(read.account), read, read.assessment) }
    })
    const [events = []] = await remarkResults(pool, book, [{ reads, results }])
    return { priceVersion: version, currency: book.currency, events }
  }

  return { tryEvents }
}

/** Of what would not be stored. */
const NOTHING = { cycle: null, quotes: [] } as const

/** As ingest does: new, duplicate or conflict. What is new is known from then on. */
function tellApart(known: Map<string, Content>, event: Candidate): EventResult {
  const name = keyName(event)
  const stored = known.get(name)
  if (stored === undefined) {
    known.set(name, event)
    return resultOfNew(event)
  }
  return resultOfRepeat(stored, event)
}

/** U+0000 cannot occur in any part, so different keys have different names. */
function keyName({ hour, account, id, source }: Candidate): string {
  return `${hour}\0${account}\0${id}\0${source}`
}
