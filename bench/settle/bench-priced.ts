import { remark } from '../../src/cli/terminal/terminal.ts'
import type { PriceBook } from '../../src/core/rate/price-book/price-book.ts'
import { type Hour, hourOf } from '../../src/core/time/hour.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import { publishPriceList } from '../../src/flows/prices/publish-price-list.ts'
import { bookOf } from '../../src/flows/prices/read-price-version.ts'
import { ratios } from '../figures.ts'
import type { Part } from '../report.ts'
import type { Cleanup } from '../run/cleanup.ts'
import { loadHour } from '../run/load-hour.ts'
import { type ScratchServer, startScratchServer } from '../run/scratch-server.ts'
import type { Settled } from './settle-process.ts'
import { type Settlers, startSettlers } from './settlers.ts'

export interface PricedSizes {
  readonly events: number
  readonly accounts: number
  readonly rounds: number
}

interface Side {
  readonly server: ScratchServer
  readonly settlers: Settlers
}

/** Every so many accounts one pays by a list with tiers. */
const EVERY = 10

/**
 * What tiers and price lists cost: the same hours on two deployments, of which one has a tenth of its accounts on a list
 * with tiers and a discount. They take turns, and each is first in every other round.
 */
export async function benchPriced(
  sizes: PricedSizes,
  cleanup: Cleanup,
  cpuProf: string | undefined,
): Promise<readonly Part[]> {
  const { rounds, events, accounts } = sizes
  const firstHour = (hourOf(Date.now() as Instant) - rounds - 2) as Hour
  const sides: Side[] = []
  for (const name of ['plain', 'priced']) {
    remark(`settle: a server, ${name}`)
    const server = await startScratchServer(firstHour, cleanup)
    sides.push({ server, settlers: await startSettlers(server, 1, cleanup, cpuProf) })
  }
  const [plain, priced] = sides as [Side, Side]
  await publishTiers(priced.server)
  const [without, withTiers]: [Settled[], Settled[]] = [[], []]
  for (let round = 0; round <= rounds; round++) {
    remark(`settle: an hour of ${events.toLocaleString('en')} events, twice, round ${round} of ${rounds}`)
    const hour = (firstHour + round) as Hour
    for (const { server } of sides) await loadHour(server, { hour, seed: hour, events, accounts })
    await putOnList(priced.server, hour)
    for (const { server } of sides) await server.pool.query('vacuum (analyze) usage_event')
    const measured = new Map<Side, Settled>()
    for (const side of round % 2 === 0 ? [plain, priced] : [priced, plain])
      measured.set(side, await side.settlers.settle({ hour }))
    // Round 0 is not counted: both are as fresh as they will never be again.
    if (round === 0) continue
    without.push(measured.get(plain)!)
    withTiers.push(measured.get(priced)!)
  }
  return [part(sizes, without, withTiers, await shareOf(priced.server))]
}

/** Two steps on every rate that has one price for all its time, and a discount off the others. */
async function publishTiers({ pool }: ScratchServer): Promise<void> {
  const { book } = await bookOf(pool, null)
  const list = { priceList: 'bench', discount: '0.1', items: itemsOf(book) }
  const source = Buffer.from(JSON.stringify(list))
  const request = { name: 'bench', source, actor: 'bench', dryRun: false, basedOn: undefined }
  const published = await publishPriceList(pool, request)
  if (!published.ok) throw new Error(published.detail)
}

function itemsOf({ rates }: PriceBook): Readonly<Record<string, object>> {
  const items: Record<string, { rates: Record<string, object> }> = {}
  for (const { item, rate, terms } of rates) {
    if (!terms.every(({ kind }) => kind === 'price')) continue
    const tiers = [{ upTo: '5', price: '0' }, { upTo: '1000', price: '0.02' }, { price: '0.015' }]
    const entry = (items[item] ??= { rates: {} })
    entry.rates[rate] = { prices: [{ from: '2020-01-01T00:00:00Z', tiers }] }
  }
  return items
}

/** Rows alone: as if the accounts had been put on the list before their first usage. */
async function putOnList({ pool }: ScratchServer, hour: Hour): Promise<void> {
  await pool.query(
    `insert into account_price_list (bucket, account, from_hour, list, assigned_by)
     select distinct bucket, account, 0, 'bench', 'bench' from usage_event
      where hour = $1 and abs(hashtext(account)) % $2 = 0
         on conflict do nothing`,
    [hour, EVERY],
  )
}

/** Of all lines, those that have tiers. */
async function shareOf({ pool }: ScratchServer): Promise<number> {
  const { rows } = await pool.query<{ share: number }>(
    'select (count(tier)::float8 / count(*)) as share from bill_line',
  )
  return rows[0]!.share
}

function part(
  { rounds, events, accounts }: PricedSizes,
  without: readonly Settled[],
  withTiers: readonly Settled[],
  share: number,
): Part {
  const [plain, priced] = [without, withTiers].map((all) => all.map(({ seconds }) => seconds)) as [
    number[],
    number[],
  ]
  const cpu = [without, withTiers].map((all) => all.map(({ cpuSeconds }) => cpuSeconds)) as [
    number[],
    number[],
  ]
  return {
    title: `Settling an hour of ${events.toLocaleString('en')} events over ${accounts.toLocaleString('en')} accounts, a tenth of them on a list with tiers: ${rounds} rounds`,
    figures: [
      { name: 'without tiers and lists', unit: 's', samples: plain },
      { name: 'with them', unit: 's', samples: priced },
      { name: 'with / without', unit: 'x', samples: ratios(priced, plain), target: 'at most 1.1' },
      { name: 'CPU of Farthing: with / without', unit: 'x', samples: ratios(cpu[1], cpu[0]) },
      { name: 'lines with a tier, of 100', unit: 'lines', samples: [100 * share] },
    ],
  }
}
