import { ALWAYS, type Cost, hourText, type PricedRate, type PriceTable, termText, tiers } from './prices.ts'

/** What a list says of one rate, from each hour on: and does it charge for what is free publicly? */
interface ListedRate {
  readonly item: string
  readonly rate: string
  readonly terms: readonly (readonly [from: number, cost: Cost, evenIfFree?: boolean])[]
}

/** One price list of the simulation, in a table of its own as the book is. */
export interface ListTable {
  /** Parts of 1 off what the list does not name, from each hour on. */
  readonly discounts: readonly (readonly [from: number, share: string])[]
  readonly rates: readonly ListedRate[]
}

export const LISTS = ['partners', 'friends', 'same'] as const

/** The lists with which a history begins: own prices and tiers, discounts that change, and one that changes nothing. */
export function firstLists(origin: number): readonly ((before: PriceTable) => PriceTable)[] {
  const lists: Readonly<Record<(typeof LISTS)[number], ListTable>> = {
    partners: {
      discounts: [[ALWAYS, '0.15']],
      rates: [
        named('Calls', [[ALWAYS, tiers(['3', '0'], ['30', '2.2'], '0.5')]]),
        named('Video', [[ALWAYS, '0.007']]),
        named('Pages', [[origin - 20, tiers(['3', '0.05'], ['10', '0.03'], '0.02')]]),
        { ...named('Images', [[origin, '0.01', true]]), rate: 'cars' },
        named('Scored', [[ALWAYS, '0.03']]),
      ],
    },
    friends: {
      discounts: [
        [ALWAYS, '0'],
        [origin + 1, '0.3333'],
      ],
      rates: [
        named('Calls', [
          [ALWAYS, '0.004'],
          [origin + 1, tiers(['4', '0.003'], '0.002')],
        ]),
        { ...named('Images', [[origin + 2, 'free']]), rate: 'faces' },
        named('Storage', [[origin - 3, tiers(['3600000000000000', '0'], '0.00003'), true]]),
      ],
    },
    same: { discounts: [[ALWAYS, '0']], rates: [] },
  }
  return LISTS.map((name) => (before) => ({ ...before, lists: { ...before.lists, [name]: lists[name] } }))
}

function named(item: string, terms: ListedRate['terms']): ListedRate {
  return { item, rate: 'default', terms }
}

/** Another discount, and stored data has tiers of its own. @param hour has not begun */
export function listsChanging(hour: number): (before: PriceTable) => PriceTable {
  return (before) => {
    const partners = before.lists['partners']
    if (partners === undefined) return before
    const changed: ListTable = {
      discounts: [...partners.discounts, [hour, '0.2']],
      rates: [...partners.rates, named('Storage', [[hour, tiers(['900000000000000', '0'], '0.00002')]])],
    }
    return { ...before, lists: { ...before.lists, partners: changed } }
  }
}

/** The list as it is sent. JSON is YAML. */
export function priceListText(name: string, { lists, rates }: PriceTable): string {
  const { discounts, rates: listed } = lists[name]!
  const items: Record<string, { rates: Record<string, object> }> = {}
  for (const { item, rate, terms } of listed) {
    const own = rates.find((one) => one.item === item && one.rate === rate)!
    const entry = (items[item] ??= { rates: {} })
    entry.rates[rate] = { prices: terms.map((term) => listedText(term, own)) }
  }
  const discount = discounts.map(([from, share]) => ({ from: hourText(from), discount: share }))
  return JSON.stringify({ priceList: name, discount, ...(listed.length > 0 ? { items } : {}) })
}

function listedText([from, cost, evenIfFree]: ListedRate['terms'][number], rate: PricedRate): object {
  return { ...termText([from, cost], rate), ...(evenIfFree ? { evenIfFree } : {}) }
}
