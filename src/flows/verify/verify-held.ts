import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import { formatHour, type Hour } from '../../core/time/hour.ts'
import type { SettledEvent } from '../../store/event-row.ts'
import type { EventKey } from '../../store/key-columns.ts'
import { findHeldStates, findHeldWithoutEvent, type HeldState } from '../../store/held-events.ts'
import type { ReadHour } from '../../store/bills.ts'
import { run, type Sql } from '../../store/query.ts'
import { type AccountFacts, type DuplicateMarks, copyName, eventsOfAccount } from '../settle/cycle-facts.ts'
import { judge, whyHeld } from '../settle/judge-held.ts'
import type { Difference } from './compare-bill.ts'

/** Events whose state is asked for at once. */
const PAGE_EVENTS = 1_000

export interface VerifyHeld {
  /** The cycle that was sealed without them. */
  readonly hour: Hour
  /** The book that it was settled with. */
  readonly book: PriceBook
  readonly duplicates: DuplicateMarks
  /** All versions that can be read. */
  readonly books: ReadonlyMap<number, PriceBook>
}

/**
 * What a settled cycle left out because no price book covered it must wait among the held events, for the reason that
 * the version says under which it was looked at last; or be released, or voided. Otherwise it would never be billed.
 */
export async function verifyHeld(
  sql: Sql,
  verify: VerifyHeld,
  account: AccountFacts,
): Promise<readonly Difference[]> {
  if (account.held === 0) return []
  const duplicates = verify.duplicates.get(account.account)
  const differences: Difference[] = []
  let page: SettledEvent[] = []
  for await (const event of eventsOfAccount(sql, verify.hour, account)) {
    if (duplicates?.has(copyName(event)) || !isLeftOut(verify.book, event)) continue
    page.push(event)
    if (page.length < PAGE_EVENTS) continue
    differences.push(...(await verifyPage(sql, verify, page)))
    page = []
  }
  return [...differences, ...(await verifyPage(sql, verify, page))]
}

/** What cannot be read any more differs in its digest, and is named for that. */
function isLeftOut(book: PriceBook, event: SettledEvent): boolean {
  try {
    return whyHeld(judge(book, event)) !== undefined
  } catch {
    return false
  }
}

async function verifyPage(
  sql: Sql,
  { books }: VerifyHeld,
  events: readonly SettledEvent[],
): Promise<readonly Difference[]> {
  if (events.length === 0) return []
  const states = await run(sql, findHeldStates, events)
  return states.flatMap((state) => {
    const event = events[state.index]!
    const detail = wrongState(books, event, state)
    return detail === undefined ? [] : [{ place: placeOf(event), detail }]
  })
}

/** The text for people is left out: it says the same as code and subject, and later versions may word it again. */
function wrongState(
  books: ReadonlyMap<number, PriceBook>,
  event: SettledEvent,
  { held, isReleased, isVoided }: HeldState,
): string | undefined {
  if (held === null) {
    if (isReleased || isVoided) return undefined
    return 'is on no bill and not among the held events, so it would never be billed'
  }
  if (isVoided) return 'is among the held events, although it was voided'
  if (isReleased) return 'is among the held events, although it was released'
  const under = `under version ${held.priceVersion} of the price book`
  const book = books.get(held.priceVersion)
  if (book === undefined) return `is noted as held ${under}, which is not there or cannot be read`
  const why = whyHeld(judge(book, event))
  if (why === undefined) return `is noted as held ${under}, which covers it, so it would never be billed`
  if (why.code === held.code && why.subject === held.subject) return undefined
  const [is, should] = [held, why].map(({ code, subject }) => `${code} of ${subject}`)
  return `is noted as held ${under} with ${is}, and should be with ${should}`
}

/** Notes about held events that are not there: of events that were deleted, or under a changed key. */
export async function verifyHeldNotes(sql: Sql, asked: ReadHour): Promise<readonly Difference[]> {
  const lost = await run(sql, findHeldWithoutEvent, asked)
  return lost.map((key) => ({ place: placeOf(key), detail: 'is noted as held, and is not there' }))
}

function placeOf({ id, source, account, hour }: EventKey): string {
  return `event ${id} of source ${source}, account ${account}, hour ${formatHour(hour)}`
}
