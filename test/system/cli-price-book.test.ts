import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { farthing } from './cli-run.ts'

const IMM = fileURLToPath(new URL('../../price-books/imm.yaml', import.meta.url))

test('a price book that is fine: what is in it, and remarks', async () => {
  const run = await farthing(['price-book', 'check', IMM])
  expect(run.code).toBe(0)
  expect(run.stderr).toBe('')
  expect(run.stdout).toMatch(
    /imm\.yaml is fine: price book imm in USD, \d+ items, \d+ rates, 105 operations, \d+ prices \(\d+ illustrative\)\.\n$/,
  )
  expect(run.stdout).toMatch(/imm\.yaml:\d+:\d+: .+ — use the book for demos only\n/)
})

test('each problem has its file, line, column and fix', async () => {
  const input = `priceBook: test
currency: USD
items:
  Calls:
    component: request
    rates:
      default: { operations: [A], unit: call, per: 1000, billedStatuses: [2xx],
                 prices: [{ from: "2025-01-01T00:00:00Z", price: 0.005 }, { from: soon, price: "1" }] }
`
  const run = await farthing(['price-book', 'check', '-'], { input })
  expect(run.code).toBe(1)
  const lines = run.stdout.trim().split('\n')
  expect(lines).toHaveLength(3)
  expect(lines[0]).toMatch(/^standard input:8:66: .+ — write it in quotes: "0.005"$/)
  expect(lines[1]).toMatch(/^standard input:8:83: .+ — /)
  expect(lines[2]).toBe('2 problems in standard input.')
  expect(run.stderr).toBe('')
})

test('an event type that no rate of its operation can charge is refused, with the unit that was meant', async () => {
  const input = `priceBook: test
currency: USD
eventTypes:
  prompt: { component: processing, operation: Prompt, quantities: { tokenz: tokens } }
items:
  Tokens:
    component: processing
    rates:
      default: { operations: [Prompt], unit: token, per: 1, prices: [{ from: "2025-01-01T00:00:00Z", price: "1" }] }
`
  const run = await farthing(['price-book', 'check', '-'], { input })
  expect(run.code).toBe(1)
  expect(run.stdout).toMatch(
    /^standard input:4:69: .+ charges Prompt by token — write token, or .+\n1 problem in standard input\.\n$/,
  )
  expect((await farthing(['price-book', 'check', '-'], { input: input.replace('z', '') })).code).toBe(0)
})

test('for programs: JSON', async () => {
  const fine = JSON.parse((await farthing(['price-book', 'check', IMM, '--json'])).stdout) as object
  expect(fine).toMatchObject({ ok: true, remarks: [{ code: 'price_book/illustrative_prices' }, {}, {}, {}] })
  const run = await farthing(['price-book', 'check', '-', '--json'], { input: 'a: 1' })
  expect(JSON.parse(run.stdout)).toMatchObject({ ok: false, problems: [{ place: { line: 1 } }, {}, {}, {}] })
  expect(run.code).toBe(1)
})

test('a file that cannot be read', async () => {
  const run = await farthing(['price-book', 'check', 'none.yaml'])
  expect(run).toEqual({
    stdout: '',
    stderr:
      'farthing: The price book none.yaml cannot be read (no such file or directory): check the name.\n',
    code: 1,
  })
})

test('help on every level, and a guess for a misspelt command', async () => {
  const help = await farthing(['price-book', 'check', '--help'])
  expect(help).toMatchObject({ stderr: '', code: 0 })
  expect(help.stdout).toContain('Usage: farthing price-book check [options] <file>')
  expect(help.stdout).toContain('Examples:')
  const misspelt = await farthing(['price-bok', 'check'])
  expect(misspelt).toMatchObject({ stdout: '', code: 2 })
  expect(misspelt.stderr).toContain('Did you mean price-book?')
})

test('no command at all: the list of commands, and the exit code of a wrong command line', async () => {
  const run = await farthing([])
  expect(run).toMatchObject({ stdout: '', code: 2 })
  expect(run.stderr).toContain('Commands:')
})
