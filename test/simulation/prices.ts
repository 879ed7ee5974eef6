import { type ListTable, listsChanging } from './price-lists.ts'

/**
 * The prices of the simulation, in a table of its own: the auditor reads the table, Farthing reads the YAML made from
 * it. Hours are hours since 1970, written out, because prices change while a history goes on.
 */
/** A price, `free`, `unknown`, or tiers. */
export type Cost = string | readonly TierRow[]

/** Up to so many base units of a month; the last tier has no end. */
export interface TierRow {
  readonly upTo?: string
  readonly price: string
}

export interface PricedRate {
  readonly component: 'request' | 'processing' | 'storage'
  readonly item: string
  readonly rate: string
  readonly operations: readonly string[]
  readonly unit: string
  /** As the price book writes it, and the base units that it stands for. */
  readonly perText: string
  readonly per: bigint
  /** For requests: the hundreds of the HTTP statuses that are billed. */
  readonly billed: readonly number[]
  /** In force from each hour on, oldest first. */
  readonly terms: readonly (readonly [from: number, cost: Cost])[]
  /** Not in force from this hour on. */
  readonly until: number
}

export interface PriceTable {
  readonly rates: readonly PricedRate[]
  /** Known, without a fee. */
  readonly free: readonly string[]
  /** Types of events beside the built-in ones: how they are read. */
  readonly types: Readonly<Record<string, { readonly component: string; readonly operation?: string }>>
  /** Of the same version, by name. */
  readonly lists: Readonly<Record<string, ListTable>>
}

/** Hour 2000-01-01T00Z: the oldest that usage can have. */
export const ALWAYS = 262_968
const NEVER = 10_000_000
const MILLISECONDS_PER_HOUR = 3_600_000n
const USUAL = [1, 2, 3, 4]

type Terms = PricedRate['terms']

const DEFAULTS = { rate: 'default', unit: 'call', billed: USUAL, until: NEVER, perText: '1000', per: 1_000n }

/** @param origin the first live hour: prices change around it */
export function priceTable(origin: number): PriceTable {
  const types = {
    'com.example.page': { component: 'processing', operation: 'Render' },
    'com.example.level': { component: 'storage' },
  }
  return { rates: [...calls(origin), ...work(origin), ...stores(origin)], free: ['Ping'], types, lists: {} }
}

/** Small steps, so that histories cross them. The last one lasts for ever. */
export function tiers(...rows: readonly (readonly [upTo: string, price: string] | string)[]): Cost {
  return rows.map((row) => (typeof row === 'string' ? { price: row } : { upTo: row[0], price: row[1] }))
}

function changing(origin: number): Terms {
  return [
    [ALWAYS, '0.005'],
    [origin + 2, '0.0075'],
  ]
}

function calls(origin: number): readonly PricedRate[] {
  const request = { ...DEFAULTS, component: 'request' } as const
  return [
    // An allowance and steps; from tiers to others counts from the month after.
    {
      ...request,
      item: 'Calls',
      operations: ['Get', 'List', 'Search'],
      terms: [
        [ALWAYS, tiers(['5', '0'], ['40', '3'], ['10000000', '2.5'], '0.001')],
        [origin + 2, tiers(['8', '0'], ['20', '1.5'], '0.7')],
      ],
    },
    // A search is two lines. The smallest price, by the call, then an allowance for two hours; 5xx answers are billed and
    // 4xx are not.
    {
      ...request,
      item: 'Searches',
      operations: ['Search'],
      perText: '1',
      per: 1n,
      billed: [2, 5],
      terms: [
        [ALWAYS, '0.000000000001'],
        [origin + 1, tiers(['2', '0'], '0.02')],
        [origin + 3, '0.01'],
      ],
    },
  ]
}

function always(cost: Cost): Terms {
  return [[ALWAYS, cost]]
}

function work(origin: number): readonly PricedRate[] {
  const processing = { ...DEFAULTS, component: 'processing' } as const
  const soon = (before: string, cost: Cost): Terms => [
    [ALWAYS, before],
    [origin + 1, cost],
  ]
  const [minute, three, million] = [
    { unit: 'millisecond', perText: 'minute', per: 60_000n },
    { unit: 'page', perText: '3', per: 3n },
    { unit: 'pixel', perText: '1000000', per: 1_000_000n },
  ]
  const images = { ...processing, item: 'Images' }
  return [
    {
      ...images,
      rate: 'faces',
      operations: ['Faces'],
      terms: always(tiers(['1.5', '0.028'], ['4', '0.021'], '0.01')),
    },
    { ...images, rate: 'cars', operations: ['Cars'], terms: soon('free', tiers(['2', '0'], '0.028')) },
    // Quotients that do not end.
    {
      ...processing,
      ...minute,
      item: 'Video',
      operations: ['Convert'],
      terms: always(tiers(['120000', '0.0084'], ['300000', '0.0071'], '0.003')),
    },
    { ...processing, ...three, item: 'Pages', operations: ['Render'], terms: always('0.07') },
    // One event, two lines, each with its unit.
    { ...processing, ...million, item: 'Pixels', operations: ['Render'], terms: changing(origin) },
    // Not in force yet, of unknown price at first, not in force any more: usage outside is held.
    { ...processing, item: 'Later', operations: ['Later'], terms: [[origin + 2, tiers(['3', '0'], '1')]] },
    { ...processing, item: 'Scored', operations: ['Score'], terms: soon('unknown', '0.0424528') },
    {
      ...processing,
      item: 'Ending',
      operations: ['Old'],
      terms: always(tiers(['2', '2'], '1')),
      until: origin + 2,
    },
  ]
}

function stores(origin: number): readonly PricedRate[] {
  const storage = { ...DEFAULTS, component: 'storage', operations: [], unit: 'byte' } as const
  return [
    {
      ...storage,
      item: 'Storage',
      perText: 'GB-hour',
      per: 1_000_000_000n * MILLISECONDS_PER_HOUR,
      terms: [
        [ALWAYS, 'free'],
        // 2 and 6 GB-hours.
        [origin + 1, tiers(['7200000000000000', '0'], ['21600000000000000', '0.0000315'], '0.00001')],
      ],
    },
    {
      ...storage,
      item: 'Backup',
      perText: 'KiB-hour',
      per: 1_024n * MILLISECONDS_PER_HOUR,
      terms: [
        [origin - 12, '0.001'],
        [origin + 3, 'unknown'],
      ],
    },
    // Nobody knows what it costs, until it is published that it was free for long and then had a price.
    {
      ...storage,
      item: 'Archive',
      perText: 'MB-hour',
      per: 1_000_000n * MILLISECONDS_PER_HOUR,
      terms: [
        [ALWAYS, 'unknown'],
        [origin + 2, '0.0042'],
      ],
    },
  ]
}

/**
 * What is published while a history goes on, one after the other: what was unknown becomes known, priced, free or
 * unreadable, and prices of hours to come change.
 * @param hourToCome has not begun
 */
export function publications(
  origin: number,
  hourToCome: number,
): readonly ((before: PriceTable) => PriceTable)[] {
  return [
    knowing(),
    fillingArchive(origin),
    filling(origin),
    listsChanging(hourToCome),
    knowingTypes,
    changingFrom(hourToCome),
  ]
}

export type Publication = (before: PriceTable) => PriceTable

function knowing(): Publication {
  const processing = { ...DEFAULTS, component: 'processing' } as const
  const fresh = { ...processing, item: 'Fresh', operations: ['Fresh', 'Extra'], unit: 'page' }
  const nobodies = { ...DEFAULTS, component: 'request', item: 'Nobodies', operations: ['Nobody'] } as const
  return ({ rates, free, types, lists }) => ({
    lists,
    rates: [
      ...rates,
      { ...fresh, perText: '7', per: 7n, terms: always(tiers(['1', '0'], ['3', '0.005'], '0.004')) },
      { ...nobodies, terms: always('0.003') },
    ],
    free: [...free, 'Tool'],
    types: { ...types, 'com.example.fresh': { component: 'processing', operation: 'Fresh' } },
  })
}

/** Hours that had no price get one, those long past too. */
function filling(origin: number): Publication {
  return ({ rates, ...table }) => ({
    ...table,
    rates: rates.map((rate) => {
      if (rate.item === 'Scored') return { ...rate, terms: [[ALWAYS, '0.01'], ...rate.terms.slice(1)] }
      if (rate.item === 'Later') return { ...rate, terms: [[ALWAYS, 'free'], [origin, '3'], ...rate.terms] }
      if (rate.item === 'Backup')
        return { ...rate, terms: [...rate.terms.slice(0, -1), [origin + 3, '0.002']] }
      return rate.item === 'Ending' ? { ...rate, until: NEVER } : rate
    }),
  })
}

/** Stored data gets a price: free for all the time until then, and priced for hours that have long been settled. */
function fillingArchive(origin: number): Publication {
  const filled: Terms = [
    [ALWAYS, 'free'],
    [origin - 5, '0.0007'],
    [origin, 'free'],
    [origin + 1, '0.0014'],
  ]
  return ({ rates, ...table }) => ({
    ...table,
    rates: rates.map((rate) =>
      rate.item === 'Archive' ? { ...rate, terms: [...filled, ...rate.terms.slice(1)] } : rate,
    ),
  })
}

function knowingTypes({ types, ...table }: PriceTable): PriceTable {
  const known = {
    'com.example.stock': { component: 'storage' },
    'com.example.odd': { component: 'processing', operation: 'Cars' },
  }
  return { ...table, types: { ...types, ...known } }
}

function changingFrom(hour: number): Publication {
  return ({ rates, ...table }) => ({
    ...table,
    rates: rates.map((rate) =>
      rate.item === 'Storage' ? { ...rate, terms: [...rate.terms, [hour, '0.00004']] } : rate,
    ),
  })
}

/** The table as a price book. JSON is YAML. */
export function priceBookText({ rates, free, types }: PriceTable): string {
  const items: Record<string, { component: string; rates: Record<string, object> }> = {}
  for (const rate of rates) {
    const item = (items[rate.item] ??= { component: rate.component, rates: {} })
    item.rates[rate.rate] = rateText(rate)
  }
  return JSON.stringify({
    priceBook: 'simulation',
    currency: 'EUR',
    operations: free,
    eventTypes: types,
    items,
  })
}

/** As a price book or a list writes it. */
export function termText([from, cost]: readonly [from: number, cost: Cost], rate: PricedRate): object {
  const begins = { from: hourText(from) }
  if (typeof cost !== 'string') return { ...begins, tiers: cost.map((tier) => tierText(tier, rate)) }
  return { ...begins, ...(cost === 'free' ? { free: 'for now' } : { price: cost }) }
}

/** In pricing units where these have a name and it is a whole number of them. */
function tierText({ upTo, price }: TierRow, { per, perText }: PricedRate): object {
  if (upTo === undefined) return { price }
  const isWhole = /^\d+$/.test(upTo) && !/^\d/.test(perText) && BigInt(upTo) % per === 0n
  return { upTo: isWhole ? `${BigInt(upTo) / per} ${perText}` : upTo, price }
}

export function hourText(hour: number): string {
  return new Date(hour * 3_600_000).toISOString()
}

function rateText(rate: PricedRate): object {
  const prices = rate.terms.map((term) => termText(term, rate))
  return {
    unit: rate.unit,
    per: /^\d+$/.test(rate.perText) ? Number(rate.perText) : rate.perText,
    prices,
    ...(rate.component === 'storage' ? {} : { operations: rate.operations }),
    ...(rate.component === 'request'
      ? { billedStatuses: rate.billed.map((hundreds) => `${hundreds}xx`) }
      : {}),
    ...(rate.until === NEVER ? {} : { until: hourText(rate.until) }),
  }
}
