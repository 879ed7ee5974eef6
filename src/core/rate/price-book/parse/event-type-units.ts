import type { EventType } from '../../../ingest/usage.ts'
import { nearest } from '../../../text/nearest.ts'
import { formatHourStart, type Hour } from '../../../time/hour.ts'
import { type PriceBook, type Rate, termInForce } from '../price-book.ts'
import { formatPath, type Path, type PriceBookProblem, type PriceBookRemark, quote } from './problem.ts'

/** A declared event type that says where its quantities are, with the rates that may charge its events. */
interface MappedType {
  readonly path: Path
  readonly quantities: NonNullable<EventType['quantities']>
  /** By the operation that they charge: the one that the type names, or all if the data names it. */
  readonly charged: RatesByOperation
}

type RatesByOperation = ReadonlyMap<string, readonly Rate[]>

/**
 * Event types of which every event would be held: at no time do they give all units by which their operation is charged.
 * Their senders can do nothing about it, so a book that says this is refused before it is published. It is no part of
 * reading a book: versions that were published before this was checked stay what they are.
 */
export function missingQuantities(book: PriceBook): readonly PriceBookProblem[] {
  return mappedTypes(book).flatMap((mapped) => {
    const stands = standsOf(mapped)
    const first = stands.next().value
    if (first === undefined || first.covered.length > 0) return []
    for (const { covered } of stands) if (covered.length > 0) return []
    return missingOf(mapped, first)
  })
}

/** What the author of a book should know of types that say where their quantities are. */
export function remarksOnQuantities(book: PriceBook): readonly PriceBookRemark[] {
  return mappedTypes(book).flatMap((mapped) => {
    const used = new Set([...mapped.charged.values()].flat().map(({ unit }) => unit))
    const unused = used.size === 0 ? [] : [...mapped.quantities.keys()].filter((unit) => !used.has(unit))
    const remarks = unused.map((unit) => unusedQuantity(mapped, unit, used))
    // A type whose data names the operation need not fit each of them.
    if (mapped.charged.size !== 1) return remarks
    return [...remarks, ...[...standsOf(mapped)].flatMap((stand) => uncoveredLater(mapped, stand))]
  })
}

function mappedTypes(book: PriceBook): readonly MappedType[] {
  const all = new Map<string, Rate[]>()
  for (const rate of book.rates) {
    if (rate.component !== 'processing') continue
    for (const operation of rate.operations) {
      const rates = all.get(operation)
      if (rates) rates.push(rate)
      else all.set(operation, [rate])
    }
  }
  return [...book.eventTypes].flatMap(([type, { quantities, operation }]) => {
    if (quantities === undefined) return []
    const own = operation === undefined ? undefined : all.get(operation)
    const charged = operation === undefined ? all : new Map(own ? [[operation, own]] : [])
    return [{ path: ['eventTypes', type, 'quantities'], quantities, charged }]
  })
}

/** Where the quantities of a type are all that an operation is charged by, and where they are not. */
interface Stand {
  readonly operation: string
  readonly rates: readonly Rate[]
  /** Hours in which rates come into force or end, and some are in force then; ascending. */
  readonly covered: readonly Hour[]
  readonly uncovered: readonly Hour[]
}

function* standsOf({ charged, quantities }: MappedType): Generator<Stand, undefined> {
  for (const [operation, rates] of charged) {
    const ends = rates.flatMap(({ terms, until }) => [
      terms[0]!.from,
      ...(until === undefined ? [] : [until]),
    ])
    const hours = [...new Set(ends)].toSorted((a, b) => a - b)
    const [covered, uncovered]: [Hour[], Hour[]] = [[], []]
    for (const hour of hours) {
      const units = rates.filter((rate) => termInForce(rate, hour)).map(({ unit }) => unit)
      if (units.length === 0) continue
      ;(units.every((unit) => quantities.has(unit)) ? covered : uncovered).push(hour)
    }
    yield { operation, rates, covered, uncovered }
  }
}

/** One for each unit that is missing where the operation is charged last. */
function missingOf(
  { path, quantities }: MappedType,
  { operation, uncovered, rates }: Stand,
): readonly PriceBookProblem[] {
  const needed = rates.filter((rate) => termInForce(rate, uncovered.at(-1)!))
  const byUnit = new Map(needed.filter(({ unit }) => !quantities.has(unit)).map((rate) => [rate.unit, rate]))
  const spare = [...quantities.keys()].filter((unit) => needed.every((rate) => rate.unit !== unit))
  const code = 'price_book/missing_quantity'
  return [...byUnit].map(([unit, rate]) => {
    const place = `${rate.item}/${rate.rate}`
    const meant = nearest(unit, spare)
    if (meant === undefined) {
      const message = `${formatPath(path)} has no ${unit}, by which ${place} charges ${operation}.`
      return { path, code, message, fix: `add ${unit}: with the name of the field of data that has it` }
    }
    const message = `${formatPath(path)} has the unit ${quote(meant)}, and ${place} charges ${operation} by ${unit}.`
    return { path: [...path, meant], code, message, fix: `write ${unit}, or correct the unit of ${place}` }
  })
}

function unusedQuantity(
  { path, charged }: MappedType,
  unit: string,
  used: ReadonlySet<string>,
): PriceBookRemark {
  const [only, ...others] = charged.keys()
  const what = others.length === 0 ? only! : 'any operation'
  const message = `${formatPath(path)} has the unit ${quote(unit)}, by which no rate charges ${what}.`
  const meant = nearest(unit, used)
  const fix = meant === undefined ? 'remove it if none will' : `write ${meant} if that is meant`
  return { path: [...path, unit], code: 'price_book/unused_quantity', message, fix }
}

/** Its events are charged at first, and held from some hour on. */
function uncoveredLater(
  { path, quantities }: MappedType,
  { operation, covered, uncovered, rates }: Stand,
): readonly PriceBookRemark[] {
  const from = uncovered.find((hour) => hour > (covered[0] ?? Infinity))
  if (from === undefined) return []
  const { item, rate, unit } = rates.find((one) => termInForce(one, from) && !quantities.has(one.unit))!
  const what = `${item}/${rate} charges ${operation} by ${unit}, which ${formatPath(path)} does not have`
  const message = `From ${formatHourStart(from)} on, ${what}: its events will be held.`
  const fix = `add ${unit}, or send the usage from then on as a type that has it`
  return [{ path, code: 'price_book/quantity_missing_later', message, fix }]
}
