import { type Books, cycleName, grouped, type StoredBill, type StoredLine } from './books.ts'
import { amountOf, fixed, PRICE_DIGITS } from './fixed-point.ts'
import { type Owed, owedFor, type Side } from './owed-prices.ts'
import type { PricedRate, PriceTable } from './prices.ts'

/** All lines of one key on one bill: one, or one for each tier. */
interface Group {
  readonly rate: PricedRate
  readonly lines: readonly StoredLine[]
  readonly owed: Owed
}

/** What was billed in one stretch of an account and a rate. */
interface Stretch {
  readonly rate: PricedRate
  readonly paid: Side
  position: bigint
  /** In 10^-18. */
  amount: bigint
  lines: number
}

/**
 * Is each line what the account owes at its position? Each account's bills are taken by sequence, their usage hours
 * ascending, and every key's quantity is cut again at the steps of its prices. In the end each stretch comes to what its
 * total costs, and what settlement keeps of positions is that total.
 */
export function auditTiers(
  books: Books,
  table: PriceTable,
  rateOf: (line: StoredLine) => PricedRate,
): readonly string[] {
  const owed = owedFor(books, table)
  const linesOf = grouped(books.lines, ({ account, hour }) => cycleName(account, hour))
  const stretches = new Map<string, Stretch>()
  const findings: string[] = []
  for (const [, bills] of grouped(books.bills, ({ account }) => account)) {
    for (const bill of bills) {
      for (const lines of keysOf(bill, linesOf.get(cycleName(bill.account, bill.hour)) ?? [])) {
        const [line] = lines as [StoredLine]
        const rate = rateOf(line)
        const own = owed(line.account, rate, line.usage_hour)
        const name = `line ${line.number} of ${cycleName(line.account, line.hour)}`
        if (own === undefined) findings.push(`${name} has no price`)
        else
          findings.push(...auditGroup(stretches, { rate, lines, owed: own }).map((one) => `${name}: ${one}`))
      }
    }
  }
  return [...findings, ...auditSums(stretches), ...auditKept(books, stretches)]
}

/** The keys of a bill in the order in which they are counted: by usage hour, then as they are printed. */
function keysOf(_: StoredBill, lines: readonly StoredLine[]): readonly (readonly StoredLine[])[] {
  const ordered = lines.toSorted((a, b) => a.usage_hour - b.usage_hour || a.number - b.number)
  return [...grouped(ordered, keyOf).values()]
}

function keyOf({ component, usage_hour, item, rate, operation, project, region }: StoredLine): string {
  return JSON.stringify([component, usage_hour, item, rate, operation, project, region])
}

function auditGroup(stretches: Map<string, Stretch>, { rate, lines, owed }: Group): readonly string[] {
  const quantity = lines.reduce((sum, line) => sum + fixed(line.quantity), 0n)
  const waived = lines.reduce((sum, line) => sum + fixed(line.waived), 0n)
  const { account } = lines[0]!
  const name =
    owed.stretchFrom === undefined ? undefined : stretchName(account, rate, String(owed.stretchFrom))
  const stretch = name === undefined ? undefined : stretches.get(name)
  const position = stretch?.position ?? 0n
  const should = partsOf(owed, position, quantity).map((part, index) =>
    partText({
      ...part,
      ...owed,
      position: owed.stretchFrom === undefined ? undefined : part.position,
      waived: index === 0 ? waived : 0n,
      amount: amountOf(part.quantity, part.price, rate.per),
    }),
  )
  const is = lines.map(lineText)
  if (name !== undefined) {
    const amount = lines.reduce((sum, line) => sum + fixed(line.amount, 18), stretch?.amount ?? 0n)
    const count = (stretch?.lines ?? 0) + lines.length
    stretches.set(name, { rate, paid: owed.paid, position: position + quantity, amount, lines: count })
  }
  return is.join('\n') === should.join('\n')
    ? []
    : [`it says\n${is.join('\n')}\nand owed is\n${should.join('\n')}`]
}

interface Part {
  readonly position: bigint
  readonly quantity: bigint
  readonly tier: number | undefined
  readonly listTier: number | undefined
  readonly price: bigint
  readonly listPrice: bigint
}

/** What lies between two positions, cut at every step of both prices, the lowest first. */
function partsOf({ paid, open }: Owed, position: bigint, quantity: bigint): readonly Part[] {
  const [low, high] = quantity < 0n ? [position + quantity, position] : [position, position + quantity]
  const ends = [...paid.steps, ...open.steps].flatMap(({ upTo }) =>
    upTo !== undefined && upTo > low && upTo < high ? [upTo] : [],
  )
  const cuts = [...new Set([low, ...ends, high])].sort((a, b) => (a < b ? -1 : 1))
  if (cuts.length === 1) return [{ position, quantity: 0n, ...placeOf({ paid, open }, low + 1n) }]
  return cuts.slice(1).map((to, index) => {
    const from = cuts[index]!
    const place = placeOf({ paid, open }, to)
    return quantity < 0n
      ? { position: to, quantity: from - to, ...place }
      : { position: from, quantity: to - from, ...place }
  })
}

/** The tiers that a unit ends in, and what it costs there. */
function placeOf({ paid, open }: Pick<Owed, 'paid' | 'open'>, end: bigint) {
  const [own, listed] = [paid, open].map((side) => {
    const index = side.steps.findIndex(({ upTo }) => upTo === undefined || end <= upTo)
    return { tier: side.isTiered ? index + 1 : undefined, price: side.steps[index]!.price }
  }) as [Place, Place]
  return { tier: own.tier, price: own.price, listTier: listed.tier, listPrice: listed.price }
}

interface Place {
  readonly tier: number | undefined
  readonly price: bigint
}

interface Told extends Omit<Part, 'position'> {
  readonly position: bigint | undefined
  readonly stretchFrom: number | undefined
  readonly paid: Pick<Side, 'list'>
  readonly waived: bigint
  readonly amount: bigint
}

function partText(part: Told): string {
  const { tier = '-', listTier = '-', position = '-', stretchFrom = '-', quantity, waived } = part
  const { price, listPrice, amount, paid } = part
  return `tier ${tier}, public ${listTier}, from ${stretchFrom}, at ${position}: ${quantity} (${waived} waived) x ${price} of ${paid.list}, public ${listPrice} = ${amount}`
}

function lineText(line: StoredLine): string {
  return partText({
    tier: line.tier ?? undefined,
    listTier: line.list_tier ?? undefined,
    position: line.position === null ? undefined : fixed(line.position),
    stretchFrom: line.stretch_from ?? undefined,
    quantity: fixed(line.quantity),
    waived: fixed(line.waived),
    price: fixed(line.unit_price, PRICE_DIGITS),
    listPrice: fixed(line.list_price, PRICE_DIGITS),
    paid: { list: line.price_list },
    amount: fixed(line.amount, 18),
  })
}

/** A stretch costs what its total costs, up to half of 10^-12 for each of its lines. */
function auditSums(stretches: ReadonlyMap<string, Stretch>): readonly string[] {
  return [...stretches].flatMap(([name, { rate, paid, position, amount, lines }]) => {
    // In 10^-28 / per.
    const cost = costOf(paid, position)
    const difference = amount * 10n ** 10n * rate.per - cost
    const size = difference < 0n ? -difference : difference
    const most = (BigInt(lines) * rate.per * 10n ** 16n) / 2n
    return size <= most
      ? []
      : [`${name}: its lines come to ${amount}, and ${position} costs ${cost / rate.per}`]
  })
}

/** What the first units cost: the part of each tier that they reach. */
function costOf({ steps }: Side, total: bigint): bigint {
  return steps.reduce((sum, { upTo, price }, index) => {
    const from = steps[index - 1]?.upTo ?? 0n
    const to = upTo === undefined || total < upTo ? total : upTo
    return to > from ? sum + (to - from) * price : sum
  }, 0n)
}

function auditKept({ positions }: Books, stretches: ReadonlyMap<string, Stretch>): readonly string[] {
  const kept = new Map(
    positions.map(({ account, item, rate, stretch_from, position }) => [
      stretchName(account, { item, rate }, String(stretch_from)),
      fixed(position),
    ]),
  )
  return [...new Set([...kept.keys(), ...stretches.keys()])].flatMap((name) => {
    const [is, should] = [kept.get(name) ?? 0n, stretches.get(name)?.position ?? 0n]
    return is === should ? [] : [`${name}: settlement keeps ${is}, and its lines come to ${should}`]
  })
}

function stretchName(
  account: string,
  { item, rate }: Pick<PricedRate, 'item' | 'rate'>,
  from: string,
): string {
  return `${item}/${rate} of ${JSON.stringify(account)} from hour ${from}`
}
