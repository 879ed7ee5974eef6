import { groupBy } from '../../core/group-by.ts'
import { reread } from '../../core/ingest/reread.ts'
import type { Usage } from '../../core/ingest/usage.ts'
import { type Decimal, plus, ZERO } from '../../core/money/decimal.ts'
import { countHeldOfHours, listHeldOfHours } from '../../store/held-usage.ts'
import { run, type Sql } from '../../store/query.ts'
import { releasingLocks } from '../../store/transaction.ts'
import { eventsAt } from '../settle/adjustments.ts'
import { bookOf } from '../prices/read-price-version.ts'
import type { AskUsage } from './usage-ask.ts'
import type { Places } from './usage-places.ts'

/** Held events of one question whose quantities are added up; of more only the number is said. */
export const HELD_EVENTS_READ_MAX = 2_000
/** Reasons that one answer tells apart. */
export const HELD_REASONS_MAX = 100

/** Usage of one reason that waits for a price: it is no part of any sum. */
export interface HeldReason {
  readonly code: string
  /** The operation or type that is unknown. */
  readonly subject: string
  readonly events: number
  /** By unit, of those events that say them; undefined: there were too many to read. */
  readonly quantities: readonly { readonly unit: string; readonly quantity: Decimal }[] | undefined
}

export interface HeldUsage {
  readonly events: number
  readonly reasons: readonly HeldReason[]
}

/** What is held of some hours: never 0, and never a part of what is charged. Filters by account alone choose of it. */
export async function readHeldUsage(sql: Sql, ask: AskUsage, places: Places): Promise<HeldUsage> {
  const { from, to, only, without } = places
  const accounts = ask.account === undefined ? (ask.filter.account ?? only ?? null) : [ask.account]
  const asked = { from, to, accounts, without }
  const counted = await run(sql, countHeldOfHours, { ...asked, limit: HELD_REASONS_MAX })
  const events = counted.reduce((total, reason) => total + reason.events, 0)
  if (events === 0) return { events, reasons: [] }
  const isMany = events > HELD_EVENTS_READ_MAX
  const quantities = isMany ? undefined : await releasingLocks(sql, () => readQuantities(sql, asked))
  return {
    events,
    reasons: counted.map((reason) => ({
      ...reason,
      quantities: isMany ? undefined : (quantities?.get(`${reason.code}\0${reason.subject}`) ?? []),
    })),
  }
}

type Asked = Omit<Parameters<typeof countHeldOfHours.values>[0], 'limit'>

/** By code and subject. */
async function readQuantities(
  sql: Sql,
  asked: Asked,
): Promise<ReadonlyMap<string, readonly { readonly unit: string; readonly quantity: Decimal }[]>> {
  const held = await run(sql, listHeldOfHours, { ...asked, limit: HELD_EVENTS_READ_MAX })
  const { book } = await bookOf(sql, null)
  const events = await eventsAt(sql, held)
  const parts = held.flatMap(({ code, subject }, index) => {
    const event = events.get(index)
    const usage = event && reread(book.eventTypes, event.type, event.data)
    return unitsOf(usage).map((used) => ({ reason: `${code}\0${subject}`, ...used }))
  })
  return new Map(
    [...groupBy(parts, ({ reason }) => reason)].map(([reason, of]) => [
      reason,
      [...groupBy(of, ({ unit }) => unit)].map(([unit, same]) => ({
        unit,
        quantity: same.reduce((total, { quantity }) => plus(total, quantity), ZERO),
      })),
    ]),
  )
}

/** What an event says that it used; nothing where it cannot be read, or says what is stored from then on. */
function unitsOf(usage: Usage | undefined): readonly { readonly unit: string; readonly quantity: Decimal }[] {
  if (usage === undefined || usage.component === 'storage') return []
  if (usage.component === 'request') return [{ unit: 'call', quantity: usage.count }]
  return [...usage.quantities].map(([unit, quantity]) => ({ unit, quantity }))
}
