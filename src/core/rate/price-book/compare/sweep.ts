import type { Hour } from '../../../time/hour.ts'
import { isPricedAlike, pairRates, type RateInBoth } from './differences.ts'
import type { Findings } from './findings.ts'
import type { Group } from './groups.ts'
import {
  forgotten,
  gained,
  heldBetween,
  lost,
  otherPrice,
  otherStatuses,
  otherUnit,
  type RatePair,
} from './rate-change.ts'
import { FIRST_HOUR, type Step, stepsOf } from './timeline.ts'
import { rateKey, samePrice, sameStatuses, sameUnit } from './words.ts'
import type { PriceTerm, Rate } from '../price-book.ts'

/** A rate in both books, or in one, with what it costs at the hour that the sweep has come to. */
interface Lane {
  readonly old: Rate | undefined
  readonly next: Rate | undefined
  readonly isSame: boolean
  term: PriceTerm | undefined
  nextTerm: PriceTerm | undefined
  readonly seats: Seat[]
}

/** A lane as one group of operations sees it. */
interface Seat {
  readonly group: Swept
  readonly lane: Lane
  /** Does the rate list the operations, in the old book and in the new one? */
  readonly inOld: boolean
  readonly inNext: boolean
  /** Listed in both, and the same in both: nothing is ever found here. */
  readonly isSilent: boolean
  /** What was found already: rules without a date are found once, and a price once for each pair of terms. */
  isGained: boolean
  isCompared: boolean
  readonly pair: [old: PriceTerm | undefined, next: PriceTerm | undefined]
}

/** A group with the state of the old book's rates that charge it. */
interface Swept {
  readonly group: Group
  readonly seats: Seat[]
  inForce: number
  unknown: number
  wasAccepted: boolean
  /** Seats whose rate changes at `touchedAt`. */
  readonly touched: Seat[]
  touchedAt: Hour | undefined
}

/**
 * Walk once through the hours that have begun, over all rates together, and look at a group of operations only where
 * one of its rates changes. So the work grows with the boundaries times the groups that meet there, not with their
 * combinations: a book of a megabyte must not stop the process that reads it.
 * @param groups that have a fee of the component in the old book, or are said to have none in the new one
 */
export function sweep(groups: readonly Group[], firstOpenHour: Hour, findings: Findings): void {
  const { lanes, swept: all } = lanesOf(groups)
  // Without a fee before any rate begins: accepted from the first hour on.
  const free = all.filter(({ group }) => group.wasFree)
  for (const [hour, steps] of stepsByHour(lanes)) {
    if (hour >= firstOpenHour || findings.areEnough) return
    const touched: Swept[] = hour === FIRST_HOUR ? [...free] : []
    for (const step of steps) takeStep(step, hour, touched)
    for (const swept of touched) look(swept, hour, findings)
  }
}

interface LaneStep extends Step {
  readonly lane: Lane
  readonly isNext: boolean
}

interface Lanes {
  readonly lanes: readonly Lane[]
  readonly swept: readonly Swept[]
}

function lanesOf(groups: readonly Group[]): Lanes {
  const [old, next] = [ratesOf(groups, 'old'), ratesOf(groups, 'next')]
  const lanes = new Map<string, Lane>()
  for (const pair of pairRates(old, next)) {
    const state = { isSame: isSame(pair), term: undefined, nextTerm: undefined }
    lanes.set(pair.key, { old: pair.old, next: pair.next, ...state, seats: [] })
  }
  return { lanes: [...lanes.values()], swept: groups.flatMap((group) => giveSeats(group, lanes) ?? []) }
}

/** Give a group its seats, unless nothing can be found for it. */
function giveSeats(group: Group, lanes: ReadonlyMap<string, Lane>): Swept | undefined {
  const state = { inForce: 0, unknown: 0, wasAccepted: false, touchedAt: undefined }
  const swept: Swept = { group, seats: [], touched: [], ...state }
  const [inOld, inNext] = [new Set(group.old.map(rateKey)), new Set(group.next.map(rateKey))]
  for (const key of new Set([...inOld, ...inNext])) {
    const lane = lanes.get(key)!
    const lists = { inOld: inOld.has(key), inNext: inNext.has(key) }
    const isSilent = lists.inOld && lists.inNext && lane.isSame
    const found = { isSilent, isGained: false, isCompared: false }
    swept.seats.push({ group: swept, lane, ...lists, ...found, pair: [undefined, undefined] })
  }
  if (swept.seats.every(({ isSilent }) => isSilent) && group.isFree >= group.wasFree) return undefined
  for (const one of swept.seats) one.lane.seats.push(one)
  return swept
}

/** Do both books say the same of the rate, at all hours? */
function isSame(pair: RateInBoth): boolean {
  const { old, next } = pair
  return !!old && !!next && sameUnit(old, next) && sameStatuses(old, next) && isPricedAlike(pair)
}

function ratesOf(groups: readonly Group[], side: 'old' | 'next'): ReadonlySet<Rate> {
  return new Set(groups.flatMap((group) => group[side]))
}

function stepsByHour(lanes: readonly Lane[]): readonly (readonly [Hour, readonly LaneStep[]])[] {
  const byHour = new Map<Hour, LaneStep[]>([[FIRST_HOUR, []]])
  for (const lane of lanes) {
    for (const isNext of [false, true]) {
      const rate = isNext ? lane.next : lane.old
      for (const step of rate ? stepsOf(rate) : []) {
        const steps = byHour.get(step.hour)
        if (steps) steps.push({ ...step, lane, isNext })
        else byHour.set(step.hour, [{ ...step, lane, isNext }])
      }
    }
  }
  return [...byHour].sort(([a], [b]) => a - b)
}

function takeStep({ lane, isNext, term }: LaneStep, hour: Hour, touched: Swept[]): void {
  const before = lane.term
  if (isNext) lane.nextTerm = term
  else lane.term = term
  const inForce = Number(term !== undefined) - Number(before !== undefined)
  const unknown = Number(term?.kind === 'unknown') - Number(before?.kind === 'unknown')
  for (const seat of lane.seats) {
    const { group } = seat
    // What the new book says counts only where the old one accepts, and it begins to accept by its own steps alone.
    if (isNext && (seat.isSilent || !group.wasAccepted)) continue
    if (!isNext && seat.inOld) {
      group.inForce += inForce
      group.unknown += unknown
    }
    if (group.touchedAt !== hour) {
      group.touchedAt = hour
      group.touched.length = 0
      touched.push(group)
    }
    if (!seat.isSilent) group.touched.push(seat)
  }
}

/**
 * Only usage that the old book accepts is compared: with any price unknown it is held, and with none in force too, unless
 * it is said to have no fee.
 */
function look(swept: Swept, hour: Hour, findings: Findings): void {
  const { operations, isFree, wasFree } = swept.group
  const isAccepted = swept.unknown === 0 && (swept.inForce > 0 || wasFree)
  const isNew = isAccepted && !swept.wasAccepted
  swept.wasAccepted = isAccepted
  if (!isAccepted) return
  if (!swept.group.isKnown) {
    if (isNew) findings.add(forgotten(operations, hour))
    return
  }
  if (swept.inForce === 0 && !isFree) findings.add(heldBetween(operations, hour))
  for (const seat of isNew ? swept.seats : swept.touched) {
    if (!seat.isSilent) compareSeat(seat, hour, findings)
  }
}

function compareSeat(seat: Seat, hour: Hour, findings: Findings): void {
  const { group, lane, inOld, inNext } = seat
  const { old, next, term, nextTerm } = lane
  const names = group.group.operations
  if (!inOld || term === undefined) {
    if (!inNext || nextTerm === undefined || seat.isGained) return
    seat.isGained = true
    return findings.add(gained(next!, names, hour))
  }
  if (!inNext) {
    if (!seat.isCompared) findings.add(lost(old!, names, hour))
    seat.isCompared = true
    return
  }
  comparePair(seat, { rate: old!, other: next!, names, hour }, findings)
}

/** The rate charges the operations in both books. */
function comparePair(seat: Seat, both: RatePair, findings: Findings): void {
  const { rate, other } = both
  const { term, nextTerm } = seat.lane
  if (!seat.isCompared) {
    if (!sameUnit(rate, other)) findings.add(otherUnit(both))
    if (!sameStatuses(rate, other)) findings.add(otherStatuses(both))
    seat.isCompared = true
  }
  const [found, foundNext] = seat.pair
  if (samePrice(term, nextTerm) || (found === term && foundNext === nextTerm)) return
  seat.pair[0] = term
  seat.pair[1] = nextTerm
  findings.add(otherPrice(both, term!, nextTerm))
}
