import { addEvent, emptyAccountHour, takeBack } from '../../src/core/bill/account-hour.ts'
import type { Bill } from '../../src/core/bill/bill.ts'
import { draftBill } from '../../src/core/bill/draft-bill.ts'
import { issueBill } from '../../src/core/bill/issue-bill.ts'
import { statementMonth } from '../../src/core/bill/statement-month.ts'
import type { UsageEvent } from '../../src/core/ingest/event.ts'
import type { AccountPrices } from '../../src/core/rate/rating/account-prices.ts'
import type { StretchPosition } from '../../src/core/rate/rating/priced-parts.ts'
import { endOf, type Hour } from '../../src/core/time/hour.ts'
import { sha256 } from './oracle-event.ts'
import type { Later } from './scenarios-read.ts'

/**
 * The bills of one account whose usage came late or was voided, as if every hour was settled when it ended. What came later
 * than its hour counts in the hour in which it came, and so does a void. Levels of storage are not read.
 */
export function billsWithLate(
  prices: AccountPrices,
  account: string,
  events: readonly UsageEvent[],
  later: ReadonlyMap<UsageEvent, Later>,
): readonly Bill[] {
  const cycleOf = (event: UsageEvent) => later.get(event)?.received ?? event.hour
  const voidOf = (event: UsageEvent) => later.get(event)?.voided
  const cycles = new Set<Hour>(events.flatMap((event) => [cycleOf(event), voidOf(event) ?? []].flat()))
  const bills: Bill[] = []
  const positions = new Map<string, StretchPosition>()
  for (const hour of [...cycles].sort((a, b) => a - b)) {
    const sums = emptyAccountHour()
    for (const event of events) {
      if (cycleOf(event) === hour) addEvent(sums, prices.book, event)
      if (voidOf(event) === hour) takeBack(sums, prices.book, event)
    }
    const isBilled = (usageHour: Hour) => bills.some((bill) => bill.hour === usageHour)
    const context = { account, hour, priceVersion: 1, prices, positions, isBilled }
    const draft = draftBill(context, sums.tally)
    if (!draft) continue
    for (const [name, moved] of draft.positions) positions.set(name, moved)
    const head = {
      account,
      hour,
      issuedAt: endOf(hour),
      currency: prices.book.currency,
      demo: false,
      late: false,
      sequence: bills.length + 1,
      statementMonth: statementMonth(hour),
      priceVersion: 1,
      eventsDigest: sha256(''),
      previousDigest: bills.at(-1)?.digest ?? null,
    }
    bills.push(issueBill(head, draft, sha256))
  }
  return bills
}
