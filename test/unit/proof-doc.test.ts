import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { rateEvents } from '../../src/cli/commands/rate-events.ts'
import { releaseText, voidText } from '../../src/core/bill/digest-text.ts'
import { billView } from '../../src/core/present/bill-view.ts'
import type { Hour } from '../../src/core/time/hour.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import { parsePriceBook } from '../../src/flows/prices/parse-price-book.ts'
import { blocksOf } from './scenarios-read.ts'

const folder = mkdtempSync(join(tmpdir(), 'farthing-proof-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const blocks = blocksOf(readFileSync('docs/proof.md', 'utf8'))

/** The content of the blocks of a kind, without the newline at its end. */
function contents(info: string): readonly string[] {
  return blocks.filter((block) => block.info === info).map((block) => block.content.replace(/\n$/, ''))
}

function content(info: string): string {
  const [only, ...others] = contents(info)
  if (only === undefined || others.length > 0) throw new Error(`there is not one block ${info}`)
  return only
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex')
}

// Nothing of Farthing but the page: anyone who follows it gets these digests.
test('the bytes on the page have the digests on the page', () => {
  const eventsText = content('events-text 2025-07-28T09Z').replaceAll('\n', '').replaceAll('␀', '\0')
  expect(sha256(eventsText)).toBe(content('digest events'))
  expect(sha256(`${content('lines-text')}\n`)).toBe(content('digest lines'))
  expect(contents('bill-text').map(sha256)).toEqual(contents('digest bill'))
})

test('releases and voids have the bytes on the page, and these the digest on the page', () => {
  const adjustments = contents('adjustments-text 2025-07-28T11Z')[0]!
    .split('\n')
    .map((act) => act.replaceAll('␀', '\0'))
  expect(sha256(adjustments.join(''))).toBe(content('digest adjustments'))
  const read = adjustments.map((act) => {
    const [word, hour, id, source, counted, orderedAt, orderedBy, reason] = act.split('\0')
    const key = { hour: Number(hour) as Hour, id: id!, source: source! }
    if (word === 'release') return releaseText(key)
    const cycle = counted === '' ? null : (Number(counted) as Hour)
    const order = { orderedAt: Number(orderedAt) as Instant, orderedBy: orderedBy!, reason: reason! }
    return voidText({ ...key, counted: cycle, ...order })
  })
  expect(read).toEqual(adjustments)
})

interface Head {
  readonly eventsDigest: string
  readonly linesDigest: string
  readonly previousDigest: string | null
}

test('the bills on the page name each other, and their events and lines', () => {
  const [first, second] = contents('bill-text').map((text) => JSON.parse(text) as Head)
  expect(first).toMatchObject({
    eventsDigest: content('digest events'),
    linesDigest: content('digest lines'),
    previousDigest: null,
  })
  expect(second?.previousDigest).toBe(contents('digest bill')[0])
})

async function* linesOf(text: string) {
  for (const [index, line] of text.split('\n').entries())
    yield { number: index + 1, bytes: Buffer.from(line) }
}

/** The bills that Farthing makes of the events on the page. */
async function realBills() {
  const parsed = parsePriceBook(readFileSync('price-books/imm.yaml'), 'imm.yaml')
  if (!parsed.ok) throw new Error('the reference price book is not valid')
  const rated = await rateEvents(parsed.book, linesOf(content('ndjson events')), Date.now() as Instant)
  return rated.bills.map(billView)
}

test('Farthing makes the bills on the page of the events on the page', async () => {
  const bills = await realBills()
  const digests = contents('digest bill')
  const heads = contents('bill-text').map((text, at) => ({
    ...(JSON.parse(text) as object),
    digest: digests[at],
  }))
  expect(bills.map(({ lines, ...head }) => ({ ...head, lines: lines.length }))).toEqual([
    { ...heads[0], lines: 2 },
    { ...heads[1], lines: 1 },
  ])
  const lines = content('lines-text').split('\n')
  expect(bills[0]?.lines).toEqual(lines.map((text) => JSON.parse(text) as unknown))
})

/** What the program on the page says of these files. */
function check(events: string, bills: unknown): string {
  const paths = ['check-bills.mjs', 'events.ndjson', 'bills.json'].map((name) => join(folder, name))
  writeFileSync(paths[0]!, content('js check-bills.mjs'))
  writeFileSync(paths[1]!, events)
  writeFileSync(paths[2]!, JSON.stringify(bills))
  const { stdout, stderr, status } = spawnSync(process.execPath, paths, { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return stdout.trimEnd()
}

test('the program on the page proves these bills, and one alone as the API has it', async () => {
  const bills = await realBills()
  const events = content('ndjson events')
  expect(check(events, { bills })).toBe(content('text'))
  expect(check(events, bills[1])).toBe('2025-07-28T10Z.acme: proved')
})

/** A line by the minute, and lines by what else a price can be for: amounts that end, and amounts that do not. */
async function billOfEveryUnit() {
  const rates = [
    ['millisecond', 'minute', '0.0084', '613822'],
    ['millisecond', 'hour', '1', '1'],
    ['millisecond', 'second', '0.3', '7'],
    ['byte', 'GiB', '0.01', '123456789'],
    ['byte', 'TB', '9', '1'],
    ['page', '3', '0.07', '2'],
    ['page', '1', '0.000000000001', '0.000001'],
    ['page', '7', '1', '999999999999999999999999999998'],
  ] as const
  const items = rates.map(([unit, per, price], at) => {
    const prices = [{ from: '2025-01-01T00:00:00Z', price }]
    const rate = { operations: [`Work${at}`], unit, per, prices }
    return [`Item${at}`, { component: 'processing', rates: { default: rate } }] as const
  })
  const prices = [{ from: '2025-01-01T00:00:00Z', price: '0.0000315' }]
  const stored = { component: 'storage', rates: { default: { unit: 'byte', per: 'GB-hour', prices } } }
  const book = { priceBook: 'p', currency: 'USD', items: Object.fromEntries([...items, ['Stored', stored]]) }
  const parsed = parsePriceBook(JSON.stringify(book), 'book.json')
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  const common = { specversion: '1.0', source: '/s', subject: 'acme', time: '2025-07-28T09:05:00Z' }
  const works = rates.map(([unit, , , used], at) => {
    const data = { operation: `Work${at}`, mode: 'sync', quantities: { [unit]: used } }
    return { ...common, id: `e${at}`, type: 'farthing.processing', data }
  })
  const level = { ...common, id: 'level', type: 'farthing.storage', data: { bytes: '123456789' } }
  const events = [...works, level].map((event) => JSON.stringify(event)).join('\n')
  const { bills } = await rateEvents(parsed.book, linesOf(events), Date.now() as Instant)
  return { events, bill: billView(bills[0]!) }
}

test('the program proves amounts that end and amounts that do not, by every unit that a price can be for', async () => {
  const { events, bill } = await billOfEveryUnit()
  expect(bill.lines.map(({ amount }) => amount)).toEqual([
    '0.08593508',
    '0.000000277778',
    '0.0021',
    '0.001149780946',
    '0.000000000009',
    '0.046666666667',
    '0.000000000000000001',
    '142857142857142857142857142856.857142857143',
    '0.000003564814782375',
  ])
  expect(check(events, bill)).toBe('2025-07-28T09Z.acme: proved')
})

test('the program finds an amount that is off by the least that it could be', async () => {
  const { events, bill } = await billOfEveryUnit()
  for (const [at, { amount }] of bill.lines.entries()) {
    const last = amount.at(-1)!
    const changed = amount.slice(0, -1) + (last === '9' ? '8' : String(Number(last) + 1))
    const lines = bill.lines.map((line, index) => (index === at ? { ...line, amount: changed } : line))
    expect(check(events, { ...bill, lines })).toContain('not proved: amounts, total')
  }
})

const CHANGES: readonly [what: string, from: string, to: string, found: string][] = [
  ['an amount', '"amount":"0.000084"', '"amount":"0.000085"', 'amounts, total, linesDigest'],
  ['a quantity that is not billed', '"waived":"1"', '"waived":"2"', 'linesDigest'],
  ['the total', '"total":"0.000089"', '"total":"0.000088"', 'total, digest'],
  ['the time of issue', '10:00:00.000Z', '10:00:00.001Z', 'digest'],
  ['the mark of a demo', '"demo":true', '"demo":false', 'digest'],
]
for (const [what, from, to, found] of CHANGES) {
  test(`the program finds a change of ${what}`, async () => {
    const bills = JSON.stringify(await realBills())
    const changed = JSON.parse(bills.replace(from, to)) as unknown
    const said = check(content('ndjson events'), { bills: changed })
    expect(said.split('\n')[0]).toBe(`2025-07-28T09Z.acme: not proved: ${found}`)
  })
}

test('the program finds a changed, a missing and a foreign event, and a broken chain', async () => {
  const [first, second] = await realBills()
  const events = content('ndjson events')
  const notProved = '2025-07-28T09Z.acme: not proved: eventsDigest'
  expect(check(events.replace('503', '500'), first)).toBe(notProved)
  expect(check(events.split('\n').slice(1).join('\n'), first)).toBe(notProved)
  expect(check(`${events}\n${events.split('\n')[0]!.replace('req-1', 'req-9')}`, first)).toBe(notProved)
  const said = check(events, { bills: [first, { ...second, previousDigest: first!.eventsDigest }] })
  expect(said).toContain('2025-07-28T10Z.acme: not proved: digest, previousDigest')
})
