import { groupBy } from '../group-by.ts'
import type { UsageEvent } from '../ingest/event.ts'
import { carriedOver, compareLevels, integrate, type Level } from '../meter/level.ts'
import type { PriceBook } from '../rate/price-book/price-book.ts'
import { type AccountPrices, publicPrices } from '../rate/rating/account-prices.ts'
import { compareBytes } from '../text/well-formed.ts'
import { endOf, type Hour, next } from '../time/hour.ts'
import { addEvent, emptyAccountHour } from './account-hour.ts'
import type { Bill } from './bill.ts'
import { eventText } from './digest-text.ts'
import { draftBill } from './draft-bill.ts'
import { issueBill, type Sha256 } from './issue-bill.ts'
import type { StretchPosition } from '../rate/rating/priced-parts.ts'
import { statementMonth } from './statement-month.ts'
import { addStored } from './tally.ts'

export interface PaperContext {
  readonly priceVersion: number
  readonly demo: boolean
  readonly sha256: Sha256
  /** Undefined: everyone pays the public prices, by months of UTC. */
  readonly pricesOf?: ((account: string) => AccountPrices) | undefined
}

/**
 * The bills of a list of events, without a database: each hour of each account from its first event to its
 * last, as if everything had arrived in time and every hour was settled when it ended.
 *
 * @param events that stand, in any order
 * @returns by account (UTF-8 bytes), then hour
 */
export function billsOnPaper(book: PriceBook, events: readonly UsageEvent[], context: PaperContext): Bill[] {
  const accounts = groupBy(events, (event) => event.account)
  const names = [...accounts.keys()].sort(compareBytes)
  return names.flatMap((account) => billsOfAccount(book, account, accounts.get(account)!, context))
}

function billsOfAccount(
  book: PriceBook,
  account: string,
  events: readonly UsageEvent[],
  context: PaperContext,
): Bill[] {
  const hours = groupBy(events, (event) => event.hour)
  const used = [...hours.keys()].sort((a, b) => a - b)
  const bills: Bill[] = []
  const positions = new Map<string, StretchPosition>()
  let carried: readonly Level[] = []
  let following = 0
  let hour = used[0]!
  while (hour <= used.at(-1)!) {
    const facts = hours.get(hour) ?? []
    const levels = levelsOf(book, facts, carried)
    const bill = billOfHour(
      book,
      { account, hour, facts, levels, previous: bills.at(-1), positions },
      context,
    )
    if (bill) bills.push(bill)
    carried = carriedOver(levels, hour)
    while (used[following]! <= hour) following += 1
    // Without anything stored, a gap of years costs nothing.
    hour = carried.length > 0 ? next(hour) : (used[following] ?? (Infinity as Hour))
  }
  return bills
}

function levelsOf(
  book: PriceBook,
  facts: readonly UsageEvent[],
  carried: readonly Level[],
): readonly Level[] {
  const sums = emptyAccountHour()
  for (const event of facts) if (event.usage?.component === 'storage') addEvent(sums, book, event)
  return [...carried, ...sums.levels.values()].sort(compareLevels)
}

interface PaperHour {
  readonly account: string
  readonly hour: Hour
  readonly facts: readonly UsageEvent[]
  readonly levels: readonly Level[]
  readonly previous: Bill | undefined
  /** Of the account; each bill moves them on. */
  readonly positions: Map<string, StretchPosition>
}

function billOfHour(book: PriceBook, paper: PaperHour, context: PaperContext): Bill | undefined {
  const { account, hour, facts, levels, previous, positions } = paper
  const sums = emptyAccountHour()
  for (const event of facts) addEvent(sums, book, event)
  for (const stored of integrate(levels, hour)) addStored(sums.tally, book, hour, stored)
  const { priceVersion, demo, sha256 } = context
  const prices = context.pricesOf?.(account) ?? publicPrices(book)
  const draft = draftBill(
    { account, hour, priceVersion, prices, positions, isBilled: () => false },
    sums.tally,
  )
  if (!draft) return undefined
  for (const [name, moved] of draft.positions) positions.set(name, moved)
  const inKeyOrder = facts.toSorted((a, b) => compareBytes(a.id, b.id) || compareBytes(a.source, b.source))
  const issue = {
    account,
    hour,
    issuedAt: endOf(hour),
    currency: book.currency,
    demo,
    late: false,
    sequence: (previous?.sequence ?? 0) + 1,
    statementMonth: statementMonth(hour),
    priceVersion,
    eventsDigest: sha256(inKeyOrder.map(eventText).join('')),
    previousDigest: previous?.digest ?? null,
  }
  return issueBill(issue, draft, sha256)
}
