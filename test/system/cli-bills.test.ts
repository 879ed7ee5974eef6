import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { farthing, type Run } from './cli-run.ts'
import { serverProcess, type ServerProcess } from './cli-server.ts'

const SAMPLE = fileURLToPath(new URL('../../samples/imm-day.ndjson.gz', import.meta.url))
const IMM = fileURLToPath(new URL('../../price-books/imm.yaml', import.meta.url))

let server: ServerProcess
let imported: Run
beforeAll(async () => {
  // On a slow machine an import may pause: its hours are sealed when it ends, however long that takes.
  server = await serverProcess({ FARTHING_BACKFILL_QUIET: '1m' })
  imported = await server.run(['import', SAMPLE])
})
afterAll(() => server.close())

interface Bill {
  readonly id: string
  readonly account: string
  readonly total: string
  readonly linesDigest: string
}

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- each test knows what its lines are
function ndjson<Item>(text: string): readonly Item[] {
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line) as Item)
}

test('an import waits until every past hour has its bill', () => {
  expect(imported.stdout).toBe(
    '20,000 events: 19,775 accepted, 204 duplicates, 21 held.\nEvery past hour has its bill.\n',
  )
  expect(imported.code).toBe(0)
})

// Guarantee: the running system and the bills on paper are one and the same arithmetic.
test('the bills of the server are those on paper, to the last digit of every line', async () => {
  const paper = await farthing(['rate', SAMPLE, '--price-book', IMM, '--json'])
  const { bills } = JSON.parse(paper.stdout) as { readonly bills: readonly Bill[] }
  const issued = ndjson<Bill>(await server.good('bills', '--json'))
  const key = ({ id, total, linesDigest }: Bill) => `${id} ${total} ${linesDigest}`
  expect(issued.map(key).sort()).toEqual(bills.map(key).sort())
})

test("an account's day: 24 hourly bills, and their exact sum", async () => {
  const day = ['--account', 'acme-photos', '--from', '2025-07-28', '--to', '2025-07-29']
  const table = (await server.good('bills', ...day)).trimEnd().split('\n')
  expect(table).toHaveLength(26)
  expect(table[1]).toMatch(/^2025-07-28 00:00 .+ 2025-07-28T00Z\.acme-photos {2}demo, billed later$/)
  expect(table.at(-1)).toMatch(/^24 bills +0\.\d+ /)
  const bills = ndjson<Bill>(await server.good('bills', ...day, '--json'))
  const sum = bills.reduce((total, { total: each }) => total + scaled(each), 0n)
  expect(
    (await server.good('bills', '--from', '2025-07-28T23Z', '--account', 'acme-photos')).split('\n'),
  ).toHaveLength(4)
  expect(scaled(table.at(-1)!.split(/ {2,}/)[1]!)).toBe(sum)
})

/** Exact: a total times 10^24. */
function scaled(text: string): bigint {
  const [whole = '', fraction = ''] = text.trim().split('.')
  return BigInt(whole + fraction.padEnd(24, '0'))
}

test('a list that is cut says so; one without items says that', async () => {
  const run = await server.run(['bills', '--account', 'acme-photos', '--limit', '5'])
  expect(run.stdout).toMatch(/^5 bills /m)
  expect(run.stderr).toBe('There are more: --limit all lists them.\n')
  const all = await server.run(['bills', '--account', 'acme-photos', '--limit', 'all'])
  expect(all.stdout).toMatch(/^24 bills /m)
  expect(all.stderr).toBe('')
  expect(await server.good('bills', '--account', 'nobody')).toBe('No bills.\n')
  expect(await server.good('bills', '--account', 'nobody', '--json')).toBe('')
})

const BILL = '2025-07-28T03Z.fjord-office'

test('a bill as a table: three components, each line as quantity × unit price = amount', async () => {
  const table = await server.good('bill', BILL)
  const words = table.replaceAll(/ +/g, ' ')
  expect(words).toContain('DEMO: made with illustrative prices; nothing is owed.\n')
  expect(words).toContain(
    '\nRequest fees\n 1 StandardQueryL0 SimpleQuery docs eu-1 2 calls 0.002 × 0.005 per ',
  )
  expect(words).toContain('\nData processing fees\n')
  expect(words).toContain('\nIndex storage fees\n')
  expect(words).toContain(' × 0 per GB-hour = 0\n free until announced\n')
  expect(words).toContain('\n Total USD 0.135598741308\n')
  expect(await server.good('bill', BILL, '--verbose')).toMatch(/^Lines digest {4}[0-9a-f]{64}$/m)
})

test('for programs, a bill is exactly what the API answers', async () => {
  const key = (await server.good('keys', 'create', 'test', '--scope', 'bills:read')).trim()
  const response = await fetch(`${server.url}/v1/bills/${BILL}`, {
    headers: { authorization: `Bearer ${key}` },
  })
  expect(await server.good('bill', BILL, '--json')).toBe(`${await response.text()}\n`)
})

test('a line is explained by its rule, its price with dates, and the events behind it', async () => {
  const text = await server.good('explain', BILL, '1')
  expect(text).toContain('Rule     calls of SimpleQuery are billed under StandardQueryL0')
  expect(text).toContain('per 1,000 calls from 2025-01-01 00:00 UTC on (version 1 of the price book)\n')
  expect(text).toContain('Amount   2 × 0.005 / 1,000 = 0.00001 USD\n')
  expect(text.match(/^2025-07-28 03:\d\d:\d\d\.\d+ .+ 200 /gm)).toHaveLength(2)
  const one = await server.run(['explain', BILL, '1', '--events', '1'])
  expect(one.stderr).toBe('The first 1 of 2 rows, by time: --events NUMBER shows more.\n')
  const storage = await server.good('explain', BILL, '7')
  expect(storage).toContain('Stored from, UTC')
})

test('from a line to an event, and from the event back to the line', async () => {
  const explained = JSON.parse(await server.good('explain', BILL, '1', '--json')) as {
    readonly price: object
    readonly events: readonly { readonly event: { readonly id: string; readonly source: string } }[]
  }
  expect(explained.price).toEqual({ from: '2025-01-01T00:00:00Z', price: '0.005', illustrative: true })
  const { id, source } = explained.events[0]!.event
  const story = await server.good('explain', '--account', 'fjord-office', id, '--source', source)
  expect(story).toContain(`Event ${id} from ${source}\n`)
  expect(story).toContain(`On the bill ${BILL}, in line 1.\n`)
  const json = await server.good('explain', '--account', 'fjord-office', id, '--json')
  expect(JSON.parse(json)).toMatchObject({ stored: [{ bill: BILL, lines: [1] }], refused: [] })
})

for (const { what, args, says, code } of [
  {
    what: 'a bill that there is not',
    args: ['bill', '2025-07-28T03Z.nobody'],
    says: 'There is no bill',
    code: 1,
  },
  { what: 'no bill at all', args: ['bill', '../../x y?#'], says: 'There is no bill', code: 1 },
  {
    what: 'a line that there is not',
    args: ['explain', BILL, '99'],
    says: 'has 7 lines, and no line 99',
    code: 1,
  },
  { what: 'a bill without a line', args: ['explain', BILL], says: `such as ${BILL} 1`, code: 2 },
  {
    what: 'an event that there is not',
    args: ['explain', '--account', 'a', 'b'],
    says: 'no event b of a',
    code: 1,
  },
  { what: 'an event of no account', args: ['explain', 'b'], says: 'account is missing', code: 2 },
  { what: 'no time', args: ['bills', '--from', 'someday'], says: 'Write an RFC 3339 time', code: 2 },
  { what: 'no number', args: ['bills', '--limit', '0'], says: 'write a number from 1, or all', code: 2 },
  { what: 'no address', args: ['bills', '--url', 'here'], says: 'write http://host:port', code: 2 },
  { what: 'no scope', args: ['keys', 'create', 'a', '--scope', 'all'], says: 'all is no scope', code: 2 },
  { what: 'no such key', args: ['keys', 'revoke', 'key_x'], says: 'key/not_found', code: 1 },
  { what: 'an unknown command', args: ['bils'], says: 'Did you mean bills?', code: 2 },
] as const) {
  test(`${what}: says so, exit code ${code}`, async () => {
    const run = await server.run(args)
    expect(run).toMatchObject({ stdout: '', code })
    expect(run.stderr).toContain(says)
  })
}

test('held usage by what is unknown, and one by one', async () => {
  expect(await server.good('held')).toMatch(/^operation {2}DetectImageAuras +21 +6 +2025-07-28 02:00/m)
  expect(await server.good('held', '--account', 'nobody')).toBe('Nothing is held.\n')
  const events = ndjson<{ subject: string }>(await server.good('held', '--events', '--json'))
  expect(events.map(({ subject }) => subject)).toEqual(Array.from({ length: 21 }, () => 'DetectImageAuras'))
})

test('what was refused is listed with its reason', async () => {
  expect(await server.good('refused')).toBe('Nothing was refused.\n')
  const event = { specversion: '1.0', id: 'bad', source: '/test', type: 'farthing.request', subject: 'acme' }
  const sent = await server.run(['import', '-'], { input: JSON.stringify(event) })
  expect(sent).toMatchObject({
    stdout: '1 event: 0 accepted, 1 rejected.\nEvery past hour has its bill.\n',
    code: 3,
  })
  expect(await server.good('refused')).toMatch(/rejected {2}acme +bad +time is missing/)
})

test('the hours since the first start', async () => {
  expect(await server.good('cycles')).toMatch(/^(?:20\d\d-\d\d-\d\d \d\d:00 {2}){2}open/m)
})

test('the published price book', async () => {
  const run = await server.run(['price-book', 'show', '--operations'])
  expect(run.stdout).toMatch(
    /^ {2}ImageDetect\/bodies +2025-01-01 00:00 +0 +per 1,000 calls +free for a limited time$/m,
  )
  expect(run.stdout).toContain('      DetectImageBodies\n')
  expect(run.stdout).toMatch(/^Version 1 of .+ DEMO: nothing is owed\.\n$/m)
  expect(run.stderr).toBe('')
  expect(JSON.parse(await server.good('price-book', 'show', '1', '--json'))).toMatchObject({
    version: 1,
    demo: true,
  })
})

test('a key is made, sees only its account, and is refused once it is revoked', async () => {
  const made = await server.run([
    'keys',
    'create',
    'acme',
    '--scope',
    'bills:read',
    '--account',
    'acme-photos',
  ])
  const env = { FARTHING_KEY: made.stdout.trim() }
  const id = /key_\w+/.exec(made.stderr)![0]
  const own = await server.run(['bills', '--json'], { env })
  expect(new Set(ndjson<Bill>(own.stdout).map(({ account }) => account))).toEqual(new Set(['acme-photos']))
  const foreign = await server.run(['bill', BILL], { env })
  expect(foreign).toMatchObject({ code: 1, stdout: '' })
  expect(await server.good('keys', 'list')).toMatch(
    new RegExp(`^${id} +acme +bills:read +acme-photos .+ never$`, 'm'),
  )
  expect(await server.good('keys', 'revoke', id)).toBe(`The key ${id} is revoked.\n`)
  expect(await server.good('keys', 'list')).toMatch(new RegExp(`^${id} .+ revoked 20`, 'm'))
  const revoked = await server.run(['bills'], { env })
  expect(revoked).toMatchObject({ code: 1, stdout: '' })
  expect(revoked.stderr).toContain('auth/unknown_key')
})
