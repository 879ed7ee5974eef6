import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { csvHeader, csvLine } from '../../src/core/export/csv.ts'
import {
  journalEnd,
  journalHead,
  type JournalStyle,
  journalText,
  NEW_JOURNAL,
} from '../../src/core/export/journal.ts'
import { jsonLine, readJsonLine } from '../../src/core/export/jsonl.ts'
import { LINES_TABLE } from '../../src/core/export/lines-table.ts'
import type { ExportRow } from '../../src/core/export/table.ts'
import { unscaled } from '../../src/core/export/unscaled.ts'
import { encodeRows } from '../../src/flows/read/encode-rows.ts'
import { DoesNotFit } from '../../src/flows/read/parquet-file.ts'
import { addExactly } from '../focus/checks.ts'
import { installProgram } from './installed-program.ts'
import { checkBeancount, checkHledger, duck, hledgerBalances } from '../focus/programs.ts'

// Guarantee: whatever an account, an item or a project is called, and however long a figure is, each file gives it back exactly, as
// programs of others read it.

const NAMES = [
  '000123',
  '1e5',
  '=1+1',
  '-7',
  '+1',
  '@SUM(A1)',
  "'quoted",
  'a,"b',
  'a\nb',
  'a\r\nb',
  '\tx',
  '照片',
  'תמונות',

  'date:2025-13-45',
  '[2025-99-99]',
  '; comment',
  'a  b',
  'a:b',
  '(virtual)',
  '"',
  '\\',
  '", "',
  '*',
  '!x',
  ' ',

  'null',
  'NULL',
  'true',
  '1.50',
  '0x10',
  'Infinity',
  '2025-01-01',
  '＝1',
  '🎞️',
  'é',
  'Photos',
  'photos',
  '-2D',
  '2D',
] as const

const AMOUNTS = [
  '0.000000000000000001',
  '-0.000000000000000001',
  '99999999999999999999.999999999999999999',
  '0',
  '-7.5',
  '123456789012345678.123456789012345678',
  '0.1',
  '1000000',
  '-99999999999999999999.999999999999999999',
]

function lineRow(index: number, values: Readonly<Record<string, string | null>>): ExportRow {
  const usual: Readonly<Record<string, string | null>> = {
    billId: `2025-07-28T03Z.a${Math.floor(index / 3)}`,
    number: String(index + 1),
    account: 'acme',
    statementMonth: '2025-07',
    bookingDay: '2025-07-28',
    cycleFrom: '2025-07-28T03:00:00Z',
    cycleTo: '2025-07-28T04:00:00Z',
    usageHour: '2025-07-28T03:00:00Z',
    correction: 'false',
    component: 'processing',
    item: 'Pages',
    rate: 'default',
    quantity: '123456789012345678901234',
    unit: 'page',
    waived: '0',
    pricingQuantity: '0.333333333333',
    pricingUnit: 'page',
    unitPrice: '0.0000000000000001',
    listPrice: '0.01',
    tier: '2',
    amount: '1',
    currency: 'USD',
    priceVersion: '1',
    sequence: '1',
    issuedAt: '2025-07-28T04:10:00.123Z',
    demo: 'true',
    billDigest: 'ab'.repeat(32),
    ...values,
  }
  return LINES_TABLE.columns.map(({ name }) => usual[name] ?? null)
}

const ROWS = NAMES.map((name, index) =>
  lineRow(index, {
    account: name,
    item: name,
    project: index % 5 === 4 ? null : name,
    amount: AMOUNTS[index % AMOUNTS.length]!,
  }),
)

async function* some(rows: readonly ExportRow[], size = 7): AsyncGenerator<readonly ExportRow[]> {
  for (let from = 0; from < rows.length; from += size)
    yield await Promise.resolve(rows.slice(from, from + size))
}

async function fileOf(
  format: 'csv' | 'jsonl' | 'parquet',
  rows: readonly ExportRow[],
  size?: number,
): Promise<string> {
  const file = join(mkdtempSync(join(tmpdir(), 'farthing-export-')), `lines.${format}`)
  const chunks: Buffer[] = []
  for await (const chunk of encodeRows(LINES_TABLE, format, some(rows, size))) chunks.push(Buffer.from(chunk))
  writeFileSync(file, Buffer.concat(chunks))
  return file
}

const at = (row: ExportRow, name: string) =>
  row[LINES_TABLE.columns.findIndex((column) => column.name === name)]
const TOTAL = addExactly(ROWS.map((row) => at(row, 'amount')!))

describe('Parquet', () => {
  test('gives back every name and figure, of the types that it says', async () => {
    const file = await fileOf('parquet', ROWS)
    const found = await duck(
      `select account, item, project, amount::varchar, quantity::varchar, number, demo, "unitPrice"::varchar from '${file}'`,
    )
    expect(found.map(([account, item, project]) => [account, item, project])).toEqual(
      ROWS.map((row) => [at(row, 'account'), at(row, 'item'), at(row, 'project')]),
    )
    expect(found.map(([, , , amount]) => addExactly([amount!]))).toEqual(ROWS.map((row) => at(row, 'amount')))
    expect(addExactly([found[0]![4]!])).toBe('123456789012345678901234')
    const types = await duck(
      `select typeof(amount), typeof(quantity), typeof(account), typeof("issuedAt"), typeof(demo), typeof(number), epoch_ms("issuedAt") from '${file}' limit 1`,
    )
    expect(types).toEqual([
      [
        'DECIMAL(38,18)',
        'DECIMAL(38,12)',
        'VARCHAR',
        'TIMESTAMP WITH TIME ZONE',
        'BOOLEAN',
        'BIGINT',
        String(Date.parse('2025-07-28T04:10:00.123Z')),
      ],
    ])
  })

  test('a sum of decimals is exact', async () => {
    const file = await fileOf('parquet', ROWS)
    const [[sum]] = (await duck(`select sum(amount)::varchar from '${file}'`)) as [[string]]
    expect(addExactly([sum])).toBe(TOTAL)
  })

  test('the same rows are the same bytes, however they came', async () => {
    const { readFileSync } = await import('node:fs')
    const [a, b] = [await fileOf('parquet', ROWS, 1), await fileOf('parquet', ROWS, 1000)]
    expect(readFileSync(a).equals(readFileSync(b))).toBe(true)
  })

  test('no rows are a file with all columns', async () => {
    const file = await fileOf('parquet', [])
    expect(await duck(`select count(*), count("billDigest") from '${file}'`)).toEqual([['0', '0']])
  })

  for (const [column, value, place] of [
    ['amount', '0.0000000000000000001', 'decimal(38,18)'],
    ['amount', '100000000000000000000', 'decimal(38,18)'],
    ['quantity', '1234567890123456789012345678.5', 'decimal(38,12)'],
    ['unitPrice', '0.1234567890123456789', 'decimal(38,18)'],
  ] as const) {
    test(`refuses by name, and never cuts: ${column} ${value}`, async () => {
      const making = fileOf('parquet', [lineRow(0, { [column]: value })])
      await expect(making).rejects.toThrow(DoesNotFit)
      await expect(making).rejects.toThrow(
        `${column} of line 1 of 2025-07-28T03Z.a0 is ${value}, which does not fit into ${place}`,
      )
    })
  }

  test('a decimal that ends with zeros fits by what it is worth', () => {
    expect(unscaled('1.5000000', 2)).toBe(150n)
    expect(unscaled('-0.05', 2)).toBe(-5n)
    expect(unscaled('-0.051', 2)).toBeUndefined()
  })
})

describe('CSV', () => {
  test('DuckDB reads back every name, once the apostrophe is taken off', async () => {
    const file = await fileOf('csv', ROWS)
    const found = await duck(
      `select account, project, amount from read_csv('${file}', all_varchar = true, quote = '"', escape = '"', header = true, new_line = '\\r\\n', delim = ',')`,
    )
    const plain = (text: string | null) => (text?.startsWith("'") ? text.slice(1) : text)
    expect(found.map(([account, project]) => [plain(account!), plain(project!)])).toEqual(
      ROWS.map((row) => [at(row, 'account'), at(row, 'project')]),
    )
    expect(found.map(([, , amount]) => amount)).toEqual(ROWS.map((row) => at(row, 'amount')))
  })

  for (const [value, cell] of [
    ['000123', '"000123"'],
    ['1e5', '"1e5"'],
    ['=1+1', `"'=1+1"`],
    ['-7', `"'-7"`],
    ['a,"b', '"a,""b"'],
    ['a\nb', '"a\nb"'],
    ["'x", `"''x"`],
    ['', '""'],
    [null, ''],
  ] as const) {
    test(`a text ${JSON.stringify(value)} is ${JSON.stringify(cell)}`, () => {
      expect(csvLine({ name: 't', columns: [{ name: 'a', type: 'text' }] }, [value])).toBe(`${cell}\r\n`)
    })
  }

  test('a negative amount is a number, and no figure has an exponent', () => {
    const columns = [{ name: 'a', type: 'decimal', scale: 18 }] as const
    expect(csvLine({ name: 't', columns }, ['-0.000000000000000001'])).toBe('-0.000000000000000001\r\n')
    expect(csvHeader({ name: 't', columns })).toBe('a\r\n')
  })
})

test('JSON lines give back every row', () => {
  for (const row of ROWS) {
    const line = jsonLine(LINES_TABLE, row)
    expect(line.match(/\n/g)).toHaveLength(1)
    expect(readJsonLine(LINES_TABLE, line)).toEqual(row)
  }
})

function journal(style: JournalStyle, rows: readonly ExportRow[], size = 4): string {
  let state = NEW_JOURNAL
  let text = journalHead(style)
  for (let from = 0; from < rows.length; from += size) {
    const made = journalText(style, state, rows.slice(from, from + size))
    text += made.text
    state = made.state
  }
  return text + journalEnd(style, state)
}

describe('journals', () => {
  const BOOKED = [
    ...ROWS,
    lineRow(200, { amount: '5', currency: 'JPY' }),
    lineRow(300, { amount: '0.001', currency: 'KWD' }),
    lineRow(400, { amount: '-12.34', currency: 'INR', bookingDay: '2024-02-29' }),
    lineRow(500, { amount: '0' }),
  ]

  beforeAll(() => {
    installProgram('hledger', '--version')
    installProgram('bean-check', '--version', 'beancount')
  })

  for (const side of ['seller', 'buyer'] as const) {
    test(`hledger accepts the books of a ${side}, strictly`, () => {
      const checked = checkHledger(journal({ format: 'hledger', side }, BOOKED))
      expect(checked).toEqual({ code: 0, said: '' })
    })

    test(`Beancount accepts the books of a ${side}`, () => {
      const checked = checkBeancount(journal({ format: 'beancount', side }, BOOKED))
      expect(checked).toEqual({ code: 0, said: '' })
    })
  }

  test('a checker finds a journal that does not balance', () => {
    const broken = (format: 'hledger' | 'beancount') =>
      journal({ format, side: 'seller' }, [lineRow(0, { amount: '7.25' })]).replace('-7.25', '-7.24')
    expect(checkHledger(broken('hledger')).code).toBe(1)
    expect(checkBeancount(broken('beancount')).code).toBe(1)
  })

  test('hledger reads the balances that were billed', () => {
    const text = journal({ format: 'hledger', side: 'seller' }, [
      lineRow(0, { amount: '0.000000000000000001', project: 'photos' }),
      lineRow(1, { amount: '7', project: 'Photos' }),
      lineRow(2, { amount: '-2', project: 'photos' }),
    ])
    const balances = hledgerBalances(text)
    expect(balances).toContain('"Assets:Receivable:A-acme","5.000000000000000001 USD"')
    expect(balances).toContain('"Income:Processing:I-Pages:P-photos","1.999999999999999999 USD"')
    expect(balances).toContain('"Income:Processing:I-Pages:P-Photos","-7.000000000000000000 USD"')
  })

  test('it does not depend on how rows were portioned', () => {
    const style = { format: 'beancount', side: 'seller' } as const
    expect(journal(style, BOOKED, 1)).toBe(journal(style, BOOKED, 1000))
  })
})
