import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FOCUS_VERSIONS, focusCharges } from '../../src/core/export/focus-columns.ts'
import { bucketOf } from '../../src/core/ingest/bucket.ts'
import { addExactly, type Cell } from '../focus/checks.ts'
import { duck } from '../focus/programs.ts'
import { runRules } from '../focus/rules.ts'
import { farthing, PROGRAM, surroundings } from './cli-run.ts'
import { at, type Day, first, FIRST_BILL, makeDay, request } from './http-day.ts'

// Guarantee: an export has every line of every bill once, in one order, as the bills say it; it can be continued behind any line, to
// the same bytes; and a key sees its own account alone.

/** Lines of one large bill: several pages of the server, and several groups of a file. */
const LARGE = 25_000
const SUPPORTED = new Set([
  'ACCOUNT_NAMING_SUPPORTED',
  'NEGOTIATED_PRICING_SUPPORTED',
  'PUBLIC_PRICE_LIST_SUPPORTED',
  'USAGE_MEASUREMENT_SUPPORTED',
  'UNIT_PRICING_SUPPORTED',
  'SUB_ACCOUNT_SUPPORTED',
  'REGION_SUPPORTED',
])

type Row = Readonly<Record<string, Cell>>

let day: Day
let month: string
let acmeKey: string
let folder: string

beforeAll(async () => {
  day = await makeDay()
  const { server } = day
  const odd = ['000123', '=1+1', 'a,"b', 'תמונות'].map((subject, index) => ({
    ...request(`odd-${index}`, first, { project: subject }),
    subject,
  }))
  await server.send(odd)
  await server.settle({ graceMs: 3_600_000 })
  month = (await day.get(`/v1/bills/${FIRST_BILL}`)).statementMonth
  acmeKey = await server.key(['bills:read'], 'acme')
  folder = mkdtempSync(join(tmpdir(), 'farthing-exports-'))
  await addLargeBill()
})
afterAll(() => day.server.close())

/** A bill that would take long to be made of events: a copy of a real one, of another account, with many lines. */
async function addLargeBill(): Promise<void> {
  const { pool } = day.server.database
  const values = [first, bucketOf('acme'), 'acme', bucketOf('large'), 'large', LARGE]
  await pool.query(
    `insert into bill select (jsonb_populate_record(b, jsonb_build_object('bucket', $4::int, 'account', $5::text, 'lines', $6::int))).*
       from bill b where hour = $1 and bucket = $2 and account = $3`,
    values,
  )
  await pool.query(
    `insert into bill_line
     select (jsonb_populate_record(l, jsonb_build_object('bucket', $4::int, 'account', $5::text, 'number', n, 'project', 'p' || n))).*
       from bill_line l, generate_series(1, $6::int) n
      where hour = $1 and bucket = $2 and account = $3 and number = 1`,
    values,
  )
}

async function text(path: string, key = day.server.adminKey): Promise<string> {
  const answer = await fetch(`${day.server.url}${path}`, { headers: { authorization: `Bearer ${key}` } })
  const body = await answer.text()
  if (answer.status === 200) return body
  throw new Error(`${path}: ${answer.status} ${body}`)
}

async function rowsOf(query: string, key?: string): Promise<readonly Row[]> {
  const lines = (await text(`/v1/focus/charges?${query}`, key)).split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line) as Row)
}

const own = () => `from=${month}&account=acme`
const position = (row: Row) => `${row['x_BillId']}:${row['x_LineNumber']}`

describe('charges', () => {
  test('are the lines of all bills, with their amounts, in order', async () => {
    const { items } = await day.get('/v1/bills?account=acme')
    const rows = await rowsOf(own())
    const ids = items.map(({ id }: { id: string }) => id)
    expect([...new Set(rows.map((row) => row['x_BillId']))]).toEqual(ids)
    for (const { id, total, digest } of items) {
      const some = rows.filter((row) => row['x_BillId'] === id)
      expect(addExactly(some.map((row) => row['BilledCost']!))).toBe(total)
      expect(new Set(some.map((row) => row['x_BillDigest']))).toEqual(new Set([digest]))
    }
    expect(rows[0]).toMatchObject({
      BillingAccountId: 'acme',
      InvoiceId: `${month}.acme`,
      ChargeClass: null,
      ConsumedQuantity: '7',
      ConsumedUnit: 'Requests',
      x_LineNumber: 1,
    })
  })

  test('follow the rules of FOCUS', async () => {
    const table = focusCharges('1.2')
    const accounts = ['acme', '000123', '=1+1', 'a,"b', 'תמונות']
    const rows: Row[] = []
    // One after the other: a key may run two exports at once.
    for (const account of accounts) {
      rows.push(...(await rowsOf(`from=${month}&account=${encodeURIComponent(account)}`)))
    }
    expect(new Set(rows.map((row) => row['BillingAccountId']))).toEqual(new Set(accounts))
    const texts = rows.map((row) => ({
      ...row,
      x_LineNumber: String(row['x_LineNumber']),
      SkuPriceDetails: JSON.stringify(row['SkuPriceDetails']),
    }))
    const types = Object.fromEntries(table.columns.map(({ name, type }) => [name, type]))
    const report = runRules({ types, rows: texts }, SUPPORTED)
    expect(report.failed).toEqual([])
    expect(report.passed.length).toBeGreaterThan(120)
  })

  test('of cycles are those of the bills that start in them', async () => {
    const one = await rowsOf(`account=acme&from=${at(first, 0)}&to=${at(first + 1, 0)}`)
    expect(new Set(one.map((row) => row['x_BillId']))).toEqual(new Set([FIRST_BILL]))
    expect(await rowsOf(`account=acme&from=${at(first, 0)}&to=${at(first, 0)}`)).toEqual([])
    const all = await rowsOf(`account=acme&from=${at(first, 0)}`)
    expect(all).toEqual(await rowsOf(own()))
  })

  test('continue behind every line', async () => {
    const all = await text(`/v1/focus/charges?${own()}`)
    const lines = all.split('\n')
    for (const [index, row] of (await rowsOf(own())).entries()) {
      const rest = await text(`/v1/focus/charges?${own()}&after=${position(row)}`)
      expect(rest).toBe(lines.slice(index + 1).join('\n'))
      const cycles = `account=acme&from=${at(first, 0)}&after=${position(row)}`
      expect(await text(`/v1/focus/charges?${cycles}`)).toBe(rest)
    }
  })

  test('continue within a large bill', async () => {
    const rest = await rowsOf(
      `account=large&from=${month}&after=${first ? FIRST_BILL.replace('acme', 'large') : ''}:${LARGE - 3}`,
    )
    expect(rest.map((row) => row['x_LineNumber'])).toEqual([LARGE - 2, LARGE - 1, LARGE])
  })

  for (const version of FOCUS_VERSIONS) {
    test(`${version}: CSV and Parquet say the same as JSON lines`, async () => {
      const query = `${own()}&version=${version}`
      const rows = await rowsOf(query)
      const { server } = day
      const answer = await fetch(`${server.url}/v1/focus/charges?${query}&format=parquet`, {
        headers: { authorization: `Bearer ${server.adminKey}` },
      })
      expect(answer.headers.get('content-type')).toBe('application/vnd.apache.parquet')
      const parquet = join(folder, `${version}.parquet`)
      const csv = join(folder, `${version}.csv`)
      const { writeFileSync } = await import('node:fs')
      writeFileSync(parquet, Buffer.from(await answer.arrayBuffer()))
      writeFileSync(csv, await text(`/v1/focus/charges?${query}&format=csv`))
      const wanted = rows.map((row) => [
        row['x_BillId'],
        String(row['x_LineNumber']),
        row['BilledCost'],
        row['PricingQuantity'],
      ])
      const columns = '"x_BillId", "x_LineNumber"::varchar, "BilledCost"::varchar, "PricingQuantity"::varchar'
      const exact = ([id, number, cost, quantity]: readonly Cell[]) => [
        id,
        number,
        addExactly([cost!]),
        addExactly([quantity!]),
      ]
      expect((await duck(`select ${columns} from '${parquet}'`)).map(exact)).toEqual(wanted)
      expect(
        (await duck(`select ${columns} from read_csv('${csv}', all_varchar = true)`)).map(exact),
      ).toEqual(wanted)
    })
  }

  test('sums of BilledCost are exact in DuckDB', async () => {
    const { items } = await day.get('/v1/bills?account=acme')
    const total = addExactly(items.map(({ total: each }: { total: string }) => each))
    const [[id, sum, type]] = (await duck(
      `select "InvoiceId", sum("BilledCost")::varchar, typeof(any_value("BilledCost")) from '${join(folder, '1.2.parquet')}' group by 1`,
    )) as [[string, string, string]]
    expect([id, addExactly([sum]), type]).toEqual([`${month}.acme`, total, 'DECIMAL(38,18)'])
  })

  test('are packed for who asks for it', async () => {
    const { server } = day
    const { request: ask } = await import('undici')
    const headers = { authorization: `Bearer ${server.adminKey}`, 'accept-encoding': 'gzip' }
    const { headers: got, body } = await ask(`${server.url}/v1/focus/charges?${own()}`, { headers })
    expect(got['content-encoding']).toBe('gzip')
    const unpacked = gunzipSync(Buffer.from(await body.arrayBuffer())).toString()
    expect(unpacked).toBe(await text(`/v1/focus/charges?${own()}`))
  })
})

describe('refused', () => {
  const refused = async (path: string, key = day.server.adminKey) => {
    const { status, json } = await day.server.ask(path, { key })
    return [status, json.code]
  }

  for (const [query, code] of [
    ['version=1.1', 'request/invalid_parameter'],
    ['format=xlsx', 'request/invalid_parameter'],
    ['from=2025-07&to=2025-07-03', 'request/invalid_parameter'],
    ['from=2025-07&to=2025-06', 'request/invalid_parameter'],
    ['from=2025-13', 'request/invalid_parameter'],
    ['from=July', 'request/invalid_parameter'],
    ['after=x', 'request/invalid_position'],
    ['after=2025-07-28T03Z.nobody:1', 'request/invalid_position'],
    [`after=${FIRST_BILL}:99`, 'request/invalid_position'],
    [`after=${FIRST_BILL}:0`, 'request/invalid_position'],
    ['month=2025-07', 'request/unknown_parameter'],
  ] as const) {
    test(`the query ${query}`, async () => {
      expect(await refused(`/v1/focus/charges?${query}`)).toEqual([400, code])
    })
  }

  test('a key of one account has its own charges, and no position of another', async () => {
    const rows = await rowsOf(`from=${month}`, acmeKey)
    expect(new Set(rows.map((row) => row['BillingAccountId']))).toEqual(new Set(['acme']))
    expect(rows).toEqual(await rowsOf(own()))
    expect(await refused('/v1/focus/charges?account=large', acmeKey)).toEqual([403, 'auth/foreign_account'])
    const foreign = FIRST_BILL.replace('acme', 'large')
    expect(await refused(`/v1/focus/charges?after=${foreign}:1`, acmeKey)).toEqual([
      400,
      'request/invalid_position',
    ])
  })

  test('a third export of a key at once, until one has ended', async () => {
    const { server } = day
    const headers = { authorization: `Bearer ${await server.key(['bills:read'])}` }
    const open = () => fetch(`${server.url}/v1/exports/lines?account=large`, { headers })
    const [a, b] = [await open(), await open()]
    const c = await open()
    expect([c.status, c.headers.get('retry-after'), ((await c.json()) as { code: string }).code]).toEqual([
      429,
      '10',
      'request/too_many_exports',
    ])
    await Promise.all([a.body!.cancel(), b.text()])
    await expect.poll(async () => (await open()).status).toBe(200)
  })
})

describe('the command', () => {
  const env = () => ({ FARTHING_URL: day.server.url, FARTHING_KEY: day.server.adminKey })
  const run = (...args: readonly string[]) => farthing(args, { env: env() })

  test('writes what the API says, with its metadata beside it', async () => {
    const file = join(folder, 'acme.csv')
    const { code, stdout } = await run('export', 'focus', file, '--account', 'acme', '--from', month)
    expect([code, stdout]).toEqual([0, expect.stringMatching(/acme\.csv: \d+ rows\.\n$/)])
    expect(readFileSync(file, 'utf8')).toBe(await text(`/v1/focus/charges?${own()}&format=csv`))
    const { Schema } = JSON.parse(readFileSync(`${file}.metadata.json`, 'utf8')) as {
      readonly Schema: {
        readonly FocusVersion: string
        readonly ColumnDefinition: readonly { readonly ColumnName: string }[]
      }
    }
    expect(Schema.FocusVersion).toBe('1.2')
    expect(Schema.ColumnDefinition.map(({ ColumnName }) => ColumnName)).toEqual(
      focusCharges('1.2').columns.map(({ name }) => name),
    )
    expect((await run('export', 'focus', file)).stderr).toContain('is there already')
  })

  test('refuses a file whose form it cannot tell', async () => {
    const { code, stderr } = await run('export', 'lines', join(folder, 'lines.xlsx'))
    expect([code, stderr]).toEqual([2, expect.stringContaining('--format')])
  })

  for (const [name, args] of [
    ['lines.csv', ['lines']],
    ['bills.journal', ['journal', '--format', 'hledger']],
  ] as const) {
    test(`killed and begun again, it makes the same bytes: ${name}`, async () => {
      const [kind, ...options] = args
      const [whole, killed] = [join(folder, `whole-${name}`), join(folder, `killed-${name}`)]
      expect((await run('export', kind, whole, ...options)).code).toBe(0)
      await killWithin(['export', kind, killed, ...options], killed)
      expect(existsSync(killed)).toBe(false)
      const other = await run('export', kind, killed, ...options, '--account', 'acme')
      expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('the part of another export')])
      const again = await run('export', kind, killed, ...options)
      expect([again.code, again.stderr]).toEqual([
        0,
        expect.stringMatching(/Continuing .* behind \d\d,\d{3} rows/),
      ])
      expect(readFileSync(killed).equals(readFileSync(whole))).toBe(true)
      expect(existsSync(`${killed}.part.state`)).toBe(false)
    })
  }

  /** Kills the command once it has marked a group of rows as written. */
  async function killWithin(args: readonly string[], file: string): Promise<void> {
    const child = spawn(process.execPath, [PROGRAM, ...args], { env: surroundings(env()), stdio: 'ignore' })
    const ended = new Promise((resolve) => child.once('close', resolve))
    const state = `${file}.part.state`
    // The mark names the last row that is written, by its bill and number.
    const isMarked = () => existsSync(state) && /Z\.\w+:\d/.test(readFileSync(state).toString('latin1'))
    await expect.poll(isMarked, { interval: 2, timeout: 60_000 }).toBe(true)
    child.kill('SIGKILL')
    await ended
  }
})
