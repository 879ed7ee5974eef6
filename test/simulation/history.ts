import { type Random, seededRandom } from '../../bench/generate/random.ts'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { type Put, randomPuts } from './closings.ts'
import { ownPrices, type Zones } from './own-prices.ts'
import { pick, type UsageData, usageData } from './usage.ts'

/** One CloudEvent on its way. */
export type Sent = { readonly [field: string]: Json } & {
  readonly id: string
  readonly source: string
  readonly subject: string
  readonly time: string
  readonly type: string
}

export interface Delivery {
  readonly events: readonly Sent[]
  /** An import's name; undefined for any other sender. */
  readonly writer: string | undefined
  /** Which of the processes that take events. */
  readonly process: number
}

export interface Pass {
  /** Seal live hours before this one. */
  readonly sealTo: number
  /** Seal history that nobody touched for so long. */
  readonly backfillQuietMs: number
}

/** Void what came so far of one identity, or of it in one hour; or all that there is of an hour. */
export interface Taking {
  readonly account: string
  /** Undefined: of any source and id, those that Farthing itself added included. */
  readonly source: string | undefined
  readonly id: string | undefined
  /** Undefined: under whatever time. */
  readonly hour: number | undefined
}

/** Some identities in one order. */
export interface Order {
  readonly takings: readonly Taking[]
  /** Given by two at once. */
  readonly twice: boolean
}

/** Deliveries, orders, publications and passes of settlement: all at once, or the passes after the others. */
export interface Round {
  /** How far the database clock is ahead of the real one; negative: behind. */
  readonly clockAheadMs: number
  /** Accounts that are made known or closed. */
  readonly puts: readonly Put[]
  /** Given before anything else happens. */
  readonly quietOrders: readonly Order[]
  readonly orders: readonly Order[]
  /** Is a price book published? */
  readonly publishes: boolean
  /** Are the segments of identities joined? */
  readonly joins: boolean
  readonly deliveries: readonly Delivery[]
  readonly passes: readonly Pass[]
  readonly atOnce: boolean
  /** The share of statements on which a process dies. */
  readonly deaths: number
  /** Imports that end after the round. */
  readonly endImports: readonly string[]
}

export interface History {
  readonly seed: number
  /** The hour of the first start: live hours go from here to the current one. */
  readonly firstHour: number
  /** Copies under times this far apart are one event. */
  readonly windowMs: number
  /** None of it and later has happened. */
  readonly hourToCome: number
  /** Is only usage of known accounts taken? */
  readonly knownOnly: boolean
  readonly zones: Zones
  /** Accounts that are put on price lists before anything else happens. */
  readonly puts: readonly Put[]
  readonly rounds: readonly Round[]
}

/** Names of every kind of order and spelling. */
const ACCOUNTS = ['acme', 'Acme', 'a', 'ü-\u{1f9fe}', '\uff21', 'a\tb\\N', "o'neil, inc."]
const HOUR_MS = 3_600_000
const IMPORTS = ['import-one', 'import-two']
const QUIET_FOREVER_MS = 3_600_000

/** What producers do and when settlement passes, from a seed and the current hour alone. */
export function randomHistory(seed: number, currentHour: number): History {
  const random = seededRandom(seed)
  const firstHour = currentHour - 2 - random.below(5)
  const windowMs = pick(random, [62 * 24, 62 * 24, 72, 2]) * HOUR_MS
  const accounts = ACCOUNTS.filter(() => random.chance(0.5)).concat('always')
  const hours = usedHours(random, firstHour, currentHour)
  const all = [...hours, ...ancientHours(random, firstHour), ...monthEdges(random, firstHour)]
  const roundCount = currentHour - firstHour + 3
  const events: Sent[][] = Array.from({ length: roundCount }, () => [])
  const usages = 40 + random.below(120)
  for (let number = 0; number < usages; number++) {
    const named = { subject: pick(random, accounts), id: String(number) }
    const usage = usageData(random)
    const hour = pick(random, isLevel(usage) ? hours : all)
    const original = eventOf(random, { ...named, ...usage, time: timeIn(random, hour) })
    for (const sent of copies(random, original, hour)) {
      events[roundFor(random, hour - firstHour, roundCount)]!.push(sent)
    }
    // A producer that stamps a retry again.
    while (random.chance(0.08)) {
      const other = pick(random, isLevel(original) ? hours : all)
      const sent = { ...original, time: timeIn(random, other) }
      events[roundFor(random, other - firstHour, roundCount)]!.push(sent)
    }
  }
  // Chance of its own, so that a seed has the usage that it always had.
  const other = seededRandom(seed + 1_000_000)
  const knownOnly = other.chance(0.2)
  const puts = randomPuts(other, { accounts, hours, roundCount, knownOnly })
  const own = ownPrices(seededRandom(seed + 2_000_000), { accounts, hours, firstHour, roundCount, knownOnly })
  const rounds = events.map((group, index) => {
    const soFar = events.slice(0, index + 1).flat()
    const round = roundOf(random, group, soFar, firstHour + index)
    const ranges = rangesOf(other, { accounts, hours, puts: puts.slice(0, index + 1).flat() })
    return { ...round, orders: [...round.orders, ...ranges], puts: [...puts[index]!, ...own.later[index]!] }
  })
  const { zones, before } = own
  return { seed, firstHour, windowMs, hourToCome: currentHour + 2, knownOnly, zones, puts: before, rounds }
}

/** Every live hour, and some of the day before. */
function usedHours(random: Random, firstHour: number, currentHour: number): readonly number[] {
  const live = Array.from({ length: currentHour - firstHour + 1 }, (_, index) => firstHour + index)
  const past = Array.from({ length: random.below(8) }, () => firstHour - 1 - random.below(30))
  return [...live, ...live, ...past]
}

/** Hours so long ago that a level would have to be carried over months: only calls and processing are this old. */
function ancientHours(random: Random, firstHour: number): readonly number[] {
  return Array.from({ length: random.below(4) }, () => firstHour - 24 * (2 + random.below(100)))
}

/** Hours around the first of this month and the last one, where months begin in one zone or another. */
function monthEdges(random: Random, firstHour: number): readonly number[] {
  const date = new Date(firstHour * HOUR_MS)
  return Array.from({ length: random.below(5) }, () => {
    const first = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - random.below(2)) / HOUR_MS
    return Math.min(first - 15 + random.below(30), firstHour - 1)
  })
}

/** Most usage arrives in the round of its hour, some later, and past usage at any time. */
function roundFor(random: Random, index: number, roundCount: number): number {
  const earliest = Math.max(0, index)
  const isLate = index < 0 || random.chance(0.25)
  return Math.min(roundCount - 1, isLate ? earliest + random.below(roundCount - earliest) : earliest)
}

function eventOf(random: Random, fields: Pick<Sent, 'subject' | 'id' | 'time'> & UsageData): Sent {
  return { specversion: '1.0', source: pick(random, ['s', 't', '\uff21']), ...fields }
}

function isLevel({ type }: { readonly type: string }): boolean {
  return /storage|level|stock/.test(type)
}

/** The edges of the hour most of all, in every spelling. */
function timeIn(random: Random, hour: number): string {
  const start = new Date(hour * HOUR_MS).toISOString().slice(0, 13)
  const offset = pick(random, [0, 0, 1, 1_800_000, HOUR_MS - 1, random.below(HOUR_MS)])
  const precise = new Date(hour * HOUR_MS + offset).toISOString()
  const local = new Date(hour * HOUR_MS + offset + 5.75 * HOUR_MS).toISOString().replace('Z', '+05:45')
  return pick(random, [precise, precise, local, `${start}:59:59.999999999Z`, `${start}:00:00Z`])
}

/** The event itself, and what producers make of it: repeats, and another content under the same identity. */
function copies(random: Random, original: Sent, hour: number): readonly Sent[] {
  const sent = [original]
  while (random.chance(0.2)) sent.push(original)
  const other = usageData(random)
  if (random.chance(0.06) && !isLevel(other)) sent.push({ ...original, ...other })
  if (random.chance(0.06)) sent.push({ ...original, time: timeIn(random, hour) })
  return sent
}

/** @param soFar events that may have come */
function roundOf(
  random: Random,
  events: readonly Sent[],
  soFar: readonly Sent[],
  openHour: number,
): Omit<Round, 'puts'> {
  const deliveries: Delivery[] = []
  const rest = shuffled(random, events)
  while (rest.length > 0) {
    const batch = rest.splice(0, 1 + random.below(20))
    const writer = random.chance(0.3) ? pick(random, IMPORTS) : undefined
    deliveries.push({ events: batch, writer, process: random.below(2) })
    if (random.chance(0.1)) rest.push(...batch)
  }
  // Rounds without a pass leave several hours due at once, and so does one that looks far ahead.
  const passes = Array.from({ length: random.below(4) }, () => ({
    sealTo: openHour + pick(random, [-1, 0, 0, 1, 1, 2, -3]),
    backfillQuietMs: random.chance(0.5) ? 0 : QUIET_FOREVER_MS,
  }))
  return {
    clockAheadMs: random.chance(0.2) ? (random.below(5) - 2) * HOUR_MS : 0,
    quietOrders: ordersOf(random, soFar),
    orders: ordersOf(random, soFar),
    publishes: random.chance(0.4),
    joins: random.chance(0.3),
    deliveries,
    passes,
    atOnce: random.chance(0.6),
    deaths: random.chance(0.4) ? 0.03 : 0,
    endImports: IMPORTS.filter(() => random.chance(0.2)),
  }
}

function ordersOf(random: Random, events: readonly Sent[]): readonly Order[] {
  if (events.length === 0) return []
  return Array.from({ length: random.below(3) }, () => ({
    twice: random.chance(0.2),
    takings: Array.from({ length: random.chance(0.8) ? 1 : 6 }, () => {
      const { subject, source, id, time } = pick(random, events)
      const hour = random.chance(0.5) ? Math.floor(Date.parse(time) / HOUR_MS) : undefined
      return { account: subject, source, id, hour }
    }),
  }))
}

interface RangesFrom {
  readonly accounts: readonly string[]
  readonly hours: readonly number[]
  readonly puts: readonly Put[]
}

/** Orders for whole hours of an account: those of closings most of all, where Farthing adds events of its own. */
function rangesOf(random: Random, { accounts, hours, puts }: RangesFrom): readonly Order[] {
  if (!random.chance(0.3)) return []
  const closings = puts.flatMap(({ account, closedAt }) =>
    closedAt === undefined ? [] : [{ account, hour: Math.floor(closedAt / HOUR_MS) }],
  )
  const any = { account: pick(random, accounts), hour: pick(random, hours) }
  const meant = closings.length > 0 && random.chance(0.7) ? pick(random, closings) : any
  return [{ twice: random.chance(0.2), takings: [{ ...meant, source: undefined, id: undefined }] }]
}

function shuffled<T>(random: Random, list: readonly T[]): T[] {
  return list
    .map((value) => ({ value, at: random.unit() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value)
}
