import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ServerProcess, serverProcess } from './cli-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'farthing-books-'))
const file = join(folder, 'acme.yaml')
const NEXT_YEAR = new Date().getUTCFullYear() + 1

/** A book with a term for each price. */
const bookWith = (prices: string, operations = 'Ping') => `priceBook: acme
currency: EUR
operations: [${operations}]
items:
  Calls:
    component: request
    rates:
      default:
        operations: [Get]
        unit: call
        per: 1000
        prices:
${prices}
`
const FIRST = '          - { from: "2026-01-01T00:00:00Z", price: "0.50" }'
const NEXT = `${FIRST}\n          - { from: "${NEXT_YEAR}-01-01T00:00:00Z", price: "0.45" }`

let server: ServerProcess
beforeAll(async () => {
  writeFileSync(file, bookWith(FIRST))
  server = await serverProcess({ FARTHING_PRICE_BOOK: file })
})
afterAll(() => server.close())

test('a dry run, and then the publication: what changes, and from when on', async () => {
  writeFileSync(file, bookWith(NEXT))
  const dry = await server.run(['price-book', 'publish', file, '--dry-run'])
  const table = `  What   From, UTC         To, UTC  Was  Becomes
Request fees
  Calls  ${NEXT_YEAR}-01-01 00:00           0.5  0.45
`
  expect(dry).toEqual({
    stdout: `${table}${file} would be version 2: 1 change. Nothing is published.\n`,
    stderr: '',
    code: 0,
  })
  const run = await server.run(['price-book', 'publish', file])
  expect(run).toEqual({ stdout: `${table}Version 2 is published: 1 change.\n`, stderr: '', code: 0 })
  expect(await server.good('price-book', 'show')).toContain('0.45 per')
  expect(await server.good('price-book', 'show', '1')).not.toContain('0.45 per')
})

test('again: nothing to publish', async () => {
  const run = await server.run(['price-book', 'publish', file])
  expect([run.code, run.stdout]).toEqual([
    0,
    'Nothing differs.\nVersion 2 says the same already: nothing to publish.\n',
  ])
})

test('what changes hours that have begun: file, line, column, and what to write; exit code 1', async () => {
  const changed = join(folder, 'changed.yaml')
  writeFileSync(changed, bookWith(NEXT.replace('0.50', '0.60')))
  const run = await server.run(['price-book', 'publish', changed])
  expect(run.code).toBe(1)
  expect(run.stdout).toMatch(
    /changed\.yaml:13:13: The price of Calls\/default at 2026-01-01T00:00:00Z is 0\.5, and would be 0\.6 — keep price: "0\.5" until "20\d\d-\d\d-\d\dT\d\d:00:00Z", and add a term from there\n/,
  )
  expect(run.stdout).toMatch(/^Not published: 1 change of hours that have begun\. Prices may change from 20/m)
  const json = await server.run(['price-book', 'publish', changed, '--json'])
  expect(json.code).toBe(1)
  expect(JSON.parse(json.stdout)).toMatchObject({
    published: false,
    violations: [{ line: 13, item: 'Calls' }],
  })
})

test('a file that is no price book: its problems, without asking the server', async () => {
  const input = 'priceBook: x'
  const run = await server.run(['price-book', 'publish', '-'], {
    input,
    env: { FARTHING_URL: 'http://127.0.0.1:1' },
  })
  expect(run.code).toBe(1)
  expect(run.stdout).toMatch(/^standard input:1:1: .+ — add currency: USD\n/)
  expect(run.stderr).toBe('farthing: standard input has problems: correct it first.\n')
  const json = await server.run(['price-book', 'publish', '-', '--json'], { input })
  expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, problems: [{ place: { line: 1 } }, {}] })
})

test('based on a version that is no longer the newest: refused, and told which one is', async () => {
  const more = join(folder, 'more.yaml')
  writeFileSync(more, bookWith(NEXT, 'Ping, Pong'))
  const run = await server.run(['price-book', 'publish', more, '--based-on', '1'])
  expect(run.code).toBe(1)
  expect(run.stderr).toContain('version 2 was published meanwhile')
  expect(run.stderr).toContain('(price_book/newer_version)')
  const good = await server.run(['price-book', 'publish', more, '--based-on', '2', '--json'])
  expect(JSON.parse(good.stdout)).toMatchObject({ version: 3, basedOn: 2, published: true })
  expect((await server.run(['price-book', 'publish', more, '--based-on', 'two'])).code).toBe(2)
})

test('the list of versions', async () => {
  const lines = (await server.good('price-book', 'list')).trim().split('\n')
  expect(lines[0]).toMatch(/^Version {2}Published, UTC/)
  expect(lines.slice(1).map((line) => line.trim().split(/\s+/)[0])).toEqual(['3', '2', '1'])
  expect(lines[3]).toContain('first start')
  const json = (await server.good('price-book', 'list', '--json')).trim().split('\n')
  expect(json.map((line) => (JSON.parse(line) as { version: number }).version)).toEqual([3, 2, 1])
})

test('differences: the newest, two versions, and a file', async () => {
  const newest = await server.run(['price-book', 'diff'])
  expect(newest.stdout).toContain('From version 2 to version 3.\n')
  expect(newest.stdout).toContain('known from now on: Pong')
  const two = JSON.parse(await server.good('price-book', 'diff', '1', '2', '--json')) as object
  expect(two).toMatchObject({
    from: 1,
    to: 2,
    changes: [{ kind: 'price_changed', was: '0.5', becomes: '0.45' }],
  })
  const one = await server.run(['price-book', 'diff', '1'])
  expect(one.stdout).toContain('From version 1 to version 3.\n')
  const other = await server.run(['price-book', 'diff', file])
  expect(other.stdout).toContain('no longer known: Pong')
  expect(other.stdout).toContain(`From version 3 to ${file}.\n`)
  const same = await server.run(['price-book', 'diff', join(folder, 'more.yaml')])
  expect(same.stdout).toMatch(/^Nothing differs\.\nFrom version 3 to /)
  expect((await server.run(['price-book', 'diff', file, '2'])).code).toBe(2)
  const none = await server.run(['price-book', 'diff', '1', '9'])
  expect([none.code, none.stderr]).toEqual([
    1,
    'farthing: There is no version 9: see `farthing price-book list`. (price/version_not_found)\n',
  ])
})
