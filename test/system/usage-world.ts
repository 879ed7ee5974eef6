import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Decimal } from 'decimal.js'
import { bucketOf } from '../../src/core/ingest/bucket.ts'
import { inUnits } from './used-in-units.ts'
import { requestEvent, testServer, type TestServer } from './http-server.ts'

/** Names that files and tools like to take for something else, each an account with a time zone. */
export const ZONED: Readonly<Record<string, string>> = {
  '000123': 'Asia/Shanghai',
  '1e5': 'America/New_York',
  '=1+1': 'Asia/Kolkata',
  '-7': 'Australia/Lord_Howe',
  'a,"b': 'Pacific/Apia',
  上海: 'UTC',
  חשבון: 'UTC',
}
export const ACCOUNTS = Object.keys(ZONED)
/** Over changes of clocks, and over the end of a month. */
export const FROM = Date.UTC(2025, 9, 1) / 3_600_000
export const TO = Date.UTC(2025, 10, 12) / 3_600_000
/** From this month on its months are those of another zone. */
export const MOVING = { account: '1e5', month: '2025-11', zone: 'Pacific/Auckland' }

const ALWAYS = '2025-01-01T00:00:00Z'
const rate = (
  operations: readonly string[],
  unit: string,
  per: number | string,
  price: string,
  from = ALWAYS,
) => ({
  operations,
  unit,
  per,
  prices: [{ from: ALWAYS, price }, ...(from === ALWAYS ? [] : [{ from, price: '0.009' }])],
})
const BOOK = {
  priceBook: 'usage',
  currency: 'USD',
  items: {
    Calls: {
      component: 'request',
      rates: { default: rate(['Get'], 'call', 1000, '0.005', '2025-11-01T00:00:00Z') },
    },
    Media: {
      component: 'processing',
      rates: {
        frames: rate(['Render'], 'frame', 1, '0.1'),
        time: rate(['Encode'], 'millisecond', 'minute', '0.0084'),
      },
    },
    Tiny: { component: 'processing', rates: { default: rate(['Sift'], 'bit', 1_000_000, '0.000000000001') } },
    Store: {
      component: 'storage',
      rates: { default: { unit: 'byte', per: 'GB-hour', prices: [{ from: ALWAYS, price: '0.0000071' }] } },
    },
  },
}

export interface Line {
  readonly account: string
  readonly component: string
  readonly item: string
  readonly rate: string
  readonly operation: string | null
  readonly project: string | null
  readonly region: string | null
  readonly hour: number
  readonly usage_hour: number
  readonly statement_month: string
  readonly unit: string
  readonly quantity: string
  readonly waived: string
  readonly amount: string
}

export interface UsageWorld {
  readonly server: TestServer
  /** Of all bills. */
  readonly lines: readonly Line[]
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
  ask(query: Readonly<Record<string, string | readonly string[]>>, key?: string): Promise<any>
}

/** Weeks of billed usage of some accounts, with late usage, voids and stored data. */
export async function usageWorld(): Promise<UsageWorld> {
  const path = join(mkdtempSync(join(tmpdir(), 'farthing-usage-')), 'book.yaml')
  writeFileSync(path, JSON.stringify(BOOK))
  const server = await testServer({ priceBook: path })
  await nameZones(server)
  await send(server, events('first', 0, 61))
  await server.settle()
  await send(server, events('late', 7, 13))
  for (const account of ACCOUNTS) await voided(server, account)
  // The late usage and the voids are in the hour that runs.
  const end = (Math.floor(Date.now() / 3_600_000) + 1) * 3_600_000
  await server.settle({ graceMs: Date.now() - end })
  const { rows } = await server.database.pool.query(`
    select l.account, component, item, rate, operation, project, region, l.hour, usage_hour, statement_month, unit,
           quantity, waived, amount
      from bill_line l
      join bill b on b.hour = l.hour and b.account = l.account`)
  return { server, lines: rows as Line[], ask: (query, key) => ask(server, query, key) }
}

async function nameZones({ database: { pool } }: TestServer): Promise<void> {
  for (const [account, zone] of Object.entries(ZONED)) {
    const own = zone === 'UTC' ? [] : [{ fromMonth: '2025-01', zone }]
    const moves = account === MOVING.account ? [{ fromMonth: MOVING.month, zone: MOVING.zone }] : []
    const tags =
      ACCOUNTS.indexOf(account) % 3 === 0 ? {} : { plan: account === '-7' ? 'gold, "old"' : 'free' }
    await pool.query(
      'insert into account_profile (account, bucket, tags, time_zones) values ($1, $2, $3, $4)',
      [account, bucketOf(account), JSON.stringify(tags), JSON.stringify([...own, ...moves])],
    )
  }
}

const LONG = '123456789012345678901234'

/** Some usage every few hours: of each account another one. */
function events(prefix: string, skip: number, every: number): readonly object[] {
  const all: object[] = []
  for (const [index, account] of ACCOUNTS.entries()) {
    const project = [null, 'photos', '=1+1', 'a,"b'][index % 4]
    for (let hour = FROM + skip + index; hour < TO; hour += every - (hour % 5)) {
      const at = { subject: account, time: new Date(hour * 3_600_000 + index * 60_000).toISOString() }
      const id = `${prefix}-${hour}`
      const place = project === null ? {} : { project }
      const work = (name: string, unit: string, quantity: string) => ({
        ...requestEvent(`${id}-${name}`, { ...at, type: 'farthing.processing' }),
        ...at,
        data: {
          operation: name,
          mode: 'sync',
          ...place,
          region: index % 2 ? 'west' : 'east',
          quantities: { [unit]: quantity },
        },
      })
      all.push(
        {
          ...requestEvent(id, { ...at }),
          ...at,
          data: { operation: 'Get', status: hour % 3 ? 200 : 503, count: hour % 17, ...place },
        },
        work('Render', 'frame', String(hour % 7)),
        work('Encode', 'millisecond', String((hour * 7919) % 100_000)),
        work('Sift', 'bit', hour % 2 ? '1' : LONG),
      )
      if (hour % 4 === 0 && index < 3)
        all.push(level(`${id}-level`, account, hour, project ?? null, String((hour % 100) * 1_000_000_007)))
    }
    if (index < 3) all.push(level(`${prefix}-end`, account, TO, project ?? null, '0'))
  }
  return all
}

function level(id: string, account: string, hour: number, project: string | null, bytes: string): object {
  const time = new Date(hour * 3_600_000).toISOString()
  const place = project === null ? {} : { project }
  return {
    ...requestEvent(id, { time, type: 'farthing.storage', data: { ...place, dataset: 'all', bytes } }),
    subject: account,
  }
}

async function send(server: TestServer, all: readonly object[]): Promise<void> {
  for (let start = 0; start < all.length; start += 1_000) {
    const { json, text } = await server.send(all.slice(start, start + 1_000))
    if (json.rejected > 0 || json.conflicts > 0) throw new Error(text.slice(0, 500))
  }
}

async function voided(server: TestServer, account: string): Promise<void> {
  const [from, to] = [FROM + 300, FROM + 380].map((hour) => new Date(hour * 3_600_000).toISOString())
  const body = JSON.stringify({ account, from, to, operation: 'Render', reason: 'a test' })
  const { status, text } = await server.ask('/v1/voids', { method: 'POST', body, type: 'application/json' })
  if (status !== 200) throw new Error(text)
}

async function ask(
  server: TestServer,
  query: Readonly<Record<string, string | readonly string[]>>,
  key?: string,
) {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value].flat()) parameters.append(name, one)
  }
  const path = `/v1/usage?${parameters.toString()}`
  const { status, json, text } = await server.ask(path, key === undefined ? {} : { key })
  if (status !== 200) throw new Error(`${path}: ${text}`)
  return json
}

const Exact = Decimal.clone({ precision: 200, toExpNeg: -1000, toExpPos: 1000 })

/** Exact, by another library than the one that is tested. */
export function total(texts: readonly string[]): string {
  return texts.reduce((sum, text) => sum.plus(text), new Exact(0)).toString()
}

/** Sums of lines by a key, and unit. */
export function sumsBy(
  lines: readonly Line[],
  keyOf: (line: Line) => string,
): Readonly<Record<string, readonly [quantity: string, waived: string, amount: string]>> {
  const groups = new Map<string, Line[]>()
  for (const line of lines) {
    const key = `${keyOf(line)} ${line.unit}`
    groups.set(key, [...(groups.get(key) ?? []), line])
  }
  return Object.fromEntries(
    [...groups].map(([key, some]) => [
      key,
      [
        total(some.map(({ quantity }) => quantity)),
        total(some.map(({ waived }) => waived)),
        total(some.map(({ amount }) => amount)),
      ] as const,
    ]),
  )
}

/** A date of a zone's calendar, by Node.js alone. */
const dates = new Map<string, string>()
export function dateIn(zone: string, hour: number): string {
  const key = `${zone} ${hour}`
  const date = dates.get(key) ?? new Date(hour * 3_600_000).toLocaleString('sv-SE', { timeZone: zone })
  dates.set(key, date)
  return date.slice(0, 10)
}

export const hourOf = (time: string) => Date.parse(time) / 3_600_000

/** An answer in the form of `sumsBy`. */
export function sumsIn(
  items: readonly Record<string, unknown>[],
  keyOf: (row: Record<string, string>) => string,
) {
  return Object.fromEntries(
    inUnits(items).map((row) => [
      `${keyOf(row)} ${row['unit']}`,
      [row['quantity'], row['waived'], row['amount']],
    ]),
  )
}
