import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { HTTP_PROBLEMS } from '../../src/http/api/problem.ts'
import { ACTS } from '../../src/store/audit.ts'
import { type Code, importsOf, type Node, readCode } from './tidy-syntax.ts'

const CODE = /^[a-z_]+\/[a-z0-9_]+$/
/** Before the slash: media types, and programs of PostgreSQL. */
const NOT_CODES = new Set(['application', 'text', 'bin'])
/** Names of what people do, in the audit log. */
const NOT_REFUSALS: ReadonlySet<string> = new Set(ACTS)
/** What can be wrong inside of a price book is documented and tested with docs/price-book.md; not what is answered. */
const ELSEWHERE = /^price_book\/(?!(?:invalid|illustrative|changes_past|newer_version)$)/

/** Every code that a file writes as a literal: in a type, a table or a call. Comments and imports do not count. */
function codesOf(code: Code): readonly string[] {
  const sources = new Set(importsOf(code).map(({ node }) => (node['source'] as Node).start))
  return code.nodes
    .filter((node) => node.type === 'Literal' && !sources.has(node.start))
    .map((node) => node['value'])
    .filter((value): value is string => typeof value === 'string' && isCode(value))
}

function isCode(text: string): boolean {
  if (NOT_REFUSALS.has(text) || NOT_CODES.has(text.split('/')[0]!)) return false
  return CODE.test(text) && !ELSEWHERE.test(text)
}

function codesInSource(): ReadonlySet<string> {
  const files = readdirSync('src', { recursive: true, withFileTypes: true })
    .filter(({ name }) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map(({ parentPath, name }) => join(parentPath, name))
  expect(files.length).toBeGreaterThan(100)
  return new Set(files.flatMap((path) => codesOf(readCode(path, readFileSync(path, 'utf8')))))
}

interface Row {
  readonly code: string
  readonly status: string | undefined
  readonly repeat: string
  readonly words: readonly string[]
}

/** The rows of a page's tables whose first cell is a code. */
function rowsOf(page: string): readonly Row[] {
  const lines = page.split('\n').filter((line) => /^\| `[a-z_]+\/[a-z0-9_]+` \|/.test(line))
  return lines.map((line) => {
    const [code = '', ...cells] = line
      .slice(2, -2)
      .split(' | ')
      .map((cell) => cell.trim())
    const status = /^\d{3}$/.test(cells[0]!) ? cells.shift() : undefined
    const [repeat = '', ...words] = cells
    return { code: code.replaceAll('`', ''), status, repeat, words }
  })
}

const ROWS = rowsOf(readFileSync('docs/errors.md', 'utf8'))

test('every code of the product is in docs/errors.md, once, and no other', () => {
  const documented = ROWS.map(({ code }) => code)
  expect(documented.toSorted()).toEqual([...codesInSource()].toSorted())
})

test('the page has the status of each code that has one', () => {
  const documented = ROWS.filter(({ status }) => status).map(({ code, status }) => [code, Number(status)])
  const real = Object.entries(HTTP_PROBLEMS).map(([code, { status }]) => [code, status])
  expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(real))
})

test('each row says what happened, what to do, and whether a repeat can help', () => {
  for (const { code, repeat, words } of ROWS) {
    const [isKnown, isSaid] = [/^(?:no|yes|later)$/.test(repeat), words.every((cell) => cell.length > 5)]
    expect([code, isKnown, words.length, isSaid]).toEqual([code, true, 2, true])
  }
})

// The command line repeats these by their status; the page must not send anyone away from a repeat that would help.
test('a status that stands for a passing trouble is always worth a repeat', () => {
  for (const { code, status, repeat } of ROWS) {
    if (['408', '429', '503'].includes(status ?? '')) expect([code, repeat]).toEqual([code, 'yes'])
  }
})

test('the check sees codes wherever they are written, and nothing else', () => {
  const text = `
    import { x } from 'typebox/compile'
    import y from '../text/a.ts'
    /** event/in_a_comment */
    type Code = 'event/in_a_type' | 'held/in_a_union'
    const table = { 'auth/a_key': 1, other: "start/a_value" }
    send('application/json', 'text/plain', 'bin/initdb', 'price_book/elsewhere', 'no code', 'Event/Upper')`
  expect(codesOf(readCode('src/a.ts', text))).toEqual([
    'event/in_a_type',
    'held/in_a_union',
    'auth/a_key',
    'start/a_value',
  ])
})
