import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inUnits } from './used-in-units.ts'
import {
  dateIn,
  hourOf,
  sumsIn,
  ACCOUNTS,
  FROM,
  type Line,
  MOVING,
  sumsBy,
  TO,
  total,
  type UsageWorld,
  usageWorld,
  ZONED,
} from './usage-world.ts'

// Guarantee: what GET /v1/usage says is the exact sum of the lines of bills, however it is told apart, in every time zone.

let world: UsageWorld
beforeAll(async () => {
  world = await usageWorld()
}, 120_000)
afterAll(() => world.server.close())

const RANGE = { from: '2025-10-01', to: '2025-11-12', limit: '1000' } as const

const inHours = (from: number, to: number) => (line: Line) => line.usage_hour >= from && line.usage_hour < to

describe('in a time zone', () => {
  for (const zone of [
    'UTC',
    'Asia/Shanghai',
    'America/New_York',
    'Asia/Kolkata',
    'Australia/Lord_Howe',
    'Pacific/Apia',
  ]) {
    for (const window of ['day', 'month'] as const) {
      test(`each hour is in one ${window}: ${zone}`, async () => {
        const { items, total: all } = await world.ask({ ...RANGE, timeZone: zone, window })
        const label = (hour: number) => dateIn(zone, hour).slice(0, window === 'day' ? 10 : 7)
        const of = world.lines.filter(({ usage_hour: hour }) => {
          const date = dateIn(zone, hour)
          return date >= RANGE.from && date < RANGE.to
        })
        const shown = sumsIn(items, ({ from }) => label(hourOf(from!)))
        expect(shown).toEqual(sumsBy(of, ({ usage_hour: hour }) => label(hour)))
        expect(all.amount).toBe(total(of.map(({ amount }) => amount)))
        for (const { from, to } of items) {
          // No hour before it, or in it, or behind it is on the wrong side.
          const [first, end] = [hourOf(from), hourOf(to)]
          const own = label(first)
          const isCut = dateIn(zone, end) === RANGE.to
          expect([label(end - 1), !isCut && label(end) === own, label(first - 1) === own]).toEqual([
            own,
            false,
            false,
          ])
        }
      })
    }
  }

  test('the months and days of each account are its own, also where its zone changes', async () => {
    for (const window of ['day', 'month'] as const) {
      const asked = { ...RANGE, timeZone: 'account', window, groupBy: 'account' }
      const { items } = await world.ask(asked)
      const zoneOf = (account: string, date: string) =>
        account === MOVING.account && date >= MOVING.month ? MOVING.zone : ZONED[account]!
      // The zone of a month decides when it begins; so the last day before a change is longer or shorter.
      const label = (account: string, hour: number) => {
        const [old, moved] = [ZONED[account]!, zoneOf(account, '2025-11')].map((zone) => dateIn(zone, hour))
        const date = moved! >= '2025-11' ? moved! : old! >= '2025-11' ? '2025-10-31' : old!
        return date.slice(0, window === 'day' ? 10 : 7)
      }
      const of = world.lines.filter(({ account, usage_hour: hour }) => {
        const zone = zoneOf(account, '2025-10')
        const end = zoneOf(account, '2025-11')
        return dateIn(zone, hour) >= RANGE.from && dateIn(end, hour) < RANGE.to
      })
      expect(sumsIn(items, ({ account, from }) => `${account} ${label(account!, hourOf(from!))}`)).toEqual(
        sumsBy(of, ({ account, usage_hour: hour }) => `${account} ${label(account, hour)}`),
      )
      const one = await world.ask({ ...asked, account: MOVING.account })
      expect(one.items).toEqual(
        items.filter(({ account }: { account: string }) => account === MOVING.account),
      )
    }
  })

  test('a row of accounts with other months says so', async () => {
    const { items } = await world.ask({ ...RANGE, timeZone: 'account', window: 'month' })
    expect(items.map(({ ownRanges }: { ownRanges?: true }) => ownRanges)).toEqual([true, true])
    const { items: own } = await world.ask({
      ...RANGE,
      timeZone: 'account',
      window: 'month',
      account: '上海',
    })
    expect(own.map(({ ownRanges }: { ownRanges?: true }) => ownRanges)).toEqual([undefined, undefined])
  })

  test('adjoining ranges of dates share no hour and leave none out', async () => {
    const zone = { timeZone: 'Australia/Lord_Howe', window: 'none' }
    const dates = ['2025-10-01', '2025-10-05', '2025-10-06', '2025-10-20', '2025-11-12']
    const parts = await Promise.all(
      dates.slice(1).map((to, index) => world.ask({ ...zone, from: dates[index]!, to })),
    )
    const whole = await world.ask({ ...zone, from: dates[0]!, to: dates.at(-1)! })
    expect(total(parts.map(({ total: part }) => part.amount))).toBe(whole.total.amount)
    expect(parts.slice(1).map(({ from }) => from)).toEqual(parts.slice(0, -1).map(({ to }) => to))
  })
})

const GROUPS = ['account', 'component', 'item', 'rate', 'operation', 'project', 'region'] as const

test('told apart in any way, it is the sum of the lines, and its rows sum to the total', async () => {
  const subsets = fc.tuple(
    fc.subarray([...GROUPS]),
    fc.constantFrom('hour', 'day', 'month', 'none'),
    fc.constantFrom('usage', 'bill'),
    fc.constantFrom(undefined, 1, 3),
  )
  await fc.assert(
    fc.asyncProperty(subsets, async ([groups, window, basis, top]) => {
      const months = { from: '2025-10', to: '2025-12' }
      const range = window === 'hour' ? { from: '2025-10-20', to: '2025-11-05' } : months
      const asked = { ...range, limit: '1000', window, basis, groupBy: groups.join(',') }
      const {
        items,
        total: all,
        next,
      } = await world.ask(top === undefined ? asked : { ...asked, top: String(top) })
      if (next !== null) return
      expect(total(items.map(({ amount }: { amount: string }) => amount))).toBe(all.amount)
      if (top !== undefined || (basis === 'bill' && window !== 'hour' && window !== 'day')) return
      const [from, to] = [
        hourOf(`${range.from}T00:00Z`.replace(/^(\d{4}-\d{2})T/, '$1-01T')),
        hourOf(`${range.to}T00:00Z`.replace(/^(\d{4}-\d{2})T/, '$1-01T')),
      ]
      const hour = basis === 'usage' ? 'usage_hour' : 'hour'
      const of = world.lines.filter((line) => line[hour] >= from && line[hour] < to)
      expect(
        sumsIn(
          items,
          (row) =>
            groups.map((group) => row[group] ?? '').join('|') +
            row['from']!.slice(0, window === 'none' ? 0 : { hour: 13, day: 10, month: 7 }[window]),
        ),
      ).toEqual(
        sumsBy(
          of,
          (line) =>
            groups.map((group) => line[group] ?? '').join('|') +
            new Date(line[hour] * 3_600_000)
              .toISOString()
              .slice(0, window === 'none' ? 0 : { hour: 13, day: 10, month: 7 }[window as 'hour']),
        ),
      )
    }),
    { numRuns: 25 },
  )
}, 60_000)

describe('by bill', () => {
  test('a month is the sum of the bills of its statement', async () => {
    const { items } = await world.ask({
      from: '2025-10',
      to: '2025-12',
      window: 'month',
      basis: 'bill',
      groupBy: 'account',
    })
    const { rows } = await world.server.database.pool.query(
      'select account, statement_month, sum(total)::text as total from bill group by account, statement_month',
    )
    const wanted = rows.filter(({ statement_month: month }) => month >= '2025-10' && month < '2025-12')
    expect(items).toHaveLength(wanted.length)
    for (const { account, total: sum } of wanted) {
      const own = items.filter((row: { account: string }) => row.account === account)
      expect(own.map(({ amount }: { amount: string }) => amount)).toContain(total([sum]))
    }
  })

  test('corrections count in the bill that has them', async () => {
    const asked = { from: '2025-10', to: '2025-12', window: 'none' }
    const [usage, bill] = [
      await world.ask(asked),
      await world.ask({ ...asked, basis: 'bill', timeZone: 'UTC' }),
    ]
    const now = Math.floor(Date.now() / 3_600_000)
    const later = world.lines.filter((line) => inHours(FROM, TO)(line) && line.hour >= TO)
    expect(later.length).toBeGreaterThan(10)
    expect(later.every(({ hour }) => hour <= now)).toBe(true)
    expect(total([usage.total.amount, `-${bill.total.amount}`])).toBe(
      total(later.map(({ amount }) => amount)),
    )
  })
})

describe('of what was asked for alone', () => {
  const asked = { ...RANGE, window: 'none', groupBy: 'account,project' }

  test.each<[filter: readonly string[], of: (line: Line) => boolean]>([
    [['item=Tiny'], ({ item }) => item === 'Tiny'],
    [['item=Tiny', 'item=Calls'], ({ item }) => item === 'Tiny' || item === 'Calls'],
    [['rate=time', 'region=west'], ({ rate, region }) => rate === 'time' && region === 'west'],
    [['project='], ({ project }) => project === null],
    [['project=\\=1+1'], ({ project }) => project === '=1+1'],
    [['project=a,"b'], ({ project }) => project === 'a,"b'],
    [['account=上海', 'account=-7'], ({ account }) => account === '上海' || account === '-7'],
    [['tag:plan=free'], ({ account }) => ACCOUNTS.indexOf(account) % 3 !== 0 && account !== '-7'],
    [['tag:plan=gold, "old"'], () => false],
    [['tag:plan='], ({ account }) => ACCOUNTS.indexOf(account) % 3 === 0],
    [['tag:none=x'], () => false],
    [['tag:__proto__='], () => true],
    [['operation=Encode', 'component=request'], () => false],
  ])('filter %j', async (filter, of) => {
    const { items, total: all } = await world.ask({ ...asked, filter })
    const lines = world.lines.filter(inHours(FROM, TO)).filter(of)
    expect(sumsIn(items, ({ account, project }) => `${account} ${project}`)).toEqual(
      sumsBy(lines, ({ account, project }) => `${account} ${project}`),
    )
    expect(all.amount).toBe(total(lines.map(({ amount }) => amount)))
  })

  test('by tag of the account, as it is now', async () => {
    const { items } = await world.ask({
      ...RANGE,
      window: 'none',
      groupBy: ['component', 'tag:plan,tag:none'],
    })
    const planOf = ({ account }: Line) => (ACCOUNTS.indexOf(account) % 3 === 0 ? null : 'free')
    const shown = items.flatMap(({ component, tags, amount }: never) => [[component, tags, amount]])
    const groups = new Map<string, Line[]>()
    for (const line of world.lines.filter(inHours(FROM, TO))) {
      const key = JSON.stringify([line.component, { none: null, plan: planOf(line) }])
      groups.set(key, [...(groups.get(key) ?? []), line])
    }
    const sorted = shown.map(([component, tags, amount]: [string, Record<string, string>, string]) => [
      JSON.stringify([component, { none: tags['none'], plan: tags['plan'] }]),
      amount,
    ])
    expect(Object.fromEntries(sorted)).toEqual(
      Object.fromEntries([...groups].map(([key, of]) => [key, total(of.map(({ amount }) => amount))])),
    )
  })

  test('a bound key sees its account alone, whatever it asks', async () => {
    const key = await world.server.key(['usage:read'], '1e5')
    const { items } = await world.ask({ ...RANGE, window: 'none', groupBy: 'account' }, key)
    expect(items.map(({ account }: { account: string }) => account)).toEqual(['1e5'])
    const other = await world.ask({ ...RANGE, window: 'none', filter: 'account=-7' }, key)
    expect(other.items).toEqual([])
    await expect(world.ask({ ...RANGE, account: '-7' }, key)).rejects.toThrow('auth/foreign_account')
  })
})

describe('ranked', () => {
  const asked = { ...RANGE, window: 'none', groupBy: 'account,item' }
  type Row = { account?: string; item?: string; amount: string; others?: number }

  test('by amount over all units, in both directions', async () => {
    const { items } = await world.ask({ ...asked, order: '-amount' })
    const amounts = (items as Row[]).map(({ amount }) => amount)
    expect(amounts.length).toBeGreaterThan(20)
    const sorted = amounts.toSorted((a, b) => Number(total([b, `-${a}`.replace('--', '')])))
    expect(amounts).toEqual(sorted)
    expect((await world.ask({ ...asked, order: 'amount' })).items.map(({ amount }: Row) => amount)).toEqual(
      amounts.toReversed(),
    )
  })

  test('the rest of the top is one row that counts its groups', async () => {
    const { items: all } = await world.ask({ ...asked, order: '-amount' })
    const { items } = await world.ask({ ...asked, top: '4' })
    expect(items.slice(0, 4)).toEqual(all.slice(0, 4))
    const rest = all.slice(4) as Row[]
    expect(items[4]).toMatchObject({ others: rest.length, amount: total(rest.map(({ amount }) => amount)) })
    expect(items).toHaveLength(5)
    expect('account' in items[4]).toBe(false)
  })

  test('pages are of one moment, and another one is refused', async () => {
    const query = { ...asked, order: '-amount', limit: '7' }
    const whole = await world.ask({ ...query, limit: '1000' })
    const pages = []
    for (let cursor: string | undefined = ''; cursor !== undefined;) {
      const page: { items: Row[]; next: string | null } = await world.ask(
        cursor === '' ? query : { ...query, cursor },
      )
      pages.push(...page.items)
      cursor = page.next ?? undefined
    }
    expect(pages).toEqual(whole.items)
    const { next } = await world.ask(query)
    const other = new URLSearchParams({ ...query, top: '9', cursor: next }).toString()
    const refused = await world.server.ask(`/v1/usage?${other}`)
    expect([refused.status, refused.json.code]).toEqual([410, 'usage/answer_gone'])
  })
})

test('no number has an exponent, however small or large it is', async () => {
  const { items } = await world.ask({
    ...RANGE,
    window: 'hour',
    from: '2025-10-10',
    to: '2025-11-05',
    filter: 'item=Tiny',
    groupBy: 'account',
  })
  const numbers = inUnits(items).flatMap(({ quantity, amount }) => [quantity!, amount!])
  expect(numbers).toContain('0.000000000000000001')
  expect(numbers.some((text) => text.length >= 24)).toBe(true)
  expect(numbers.filter((text) => !/^-?\d+(\.\d+)?$/.test(text))).toEqual([])
})

test('held usage stands beside the sums, with what it says that it used', async () => {
  const time = '2025-10-15T09:20:00Z'
  const base = { specversion: '1.0', source: 's', subject: '上海', time }
  const data = { operation: 'Unheard', mode: 'sync', quantities: { page: '2.5' } }
  const sent = await world.server.send([
    { ...base, id: 'h1', type: 'farthing.processing', data },
    { ...base, id: 'h2', type: 'farthing.processing', data },
    { ...base, id: 'h3', type: 'com.example.new', data: { x: 1 } },
  ])
  expect(sent.json.held).toBe(3)
  const { held, total: sum } = await world.ask({ from: '2025-10-15', to: '2025-10-16', window: 'none' })
  expect(held).toEqual({
    events: 3,
    reasons: [
      {
        code: 'held/unknown_operation',
        subject: 'Unheard',
        events: 2,
        quantities: [{ unit: 'page', quantity: '5' }],
      },
      { code: 'held/unknown_type', subject: 'com.example.new', events: 1, quantities: [] },
    ],
  })
  expect(sum.quantities.map(({ unit }: { unit: string }) => unit)).not.toContain('page')
  const elsewhere = [{ account: '-7' }, { filter: 'account=-7' }, { filter: 'tag:plan=free' }] as const
  for (const query of elsewhere) {
    const { held: none } = await world.ask({ from: '2025-10-15', to: '2025-10-16', ...query })
    expect(none.events).toBe(query === elsewhere[2] ? 3 : 0)
  }
})
