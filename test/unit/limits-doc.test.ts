import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { type Code, isNode, type Node, readCode, written } from './tidy-syntax.ts'

/** A constant with such a name is a limit, and must be in docs/limits.md. Others may be. */
const LIMIT = /_(?:MAX|MIN|KEPT|MS|SECONDS)(?:_|$)|PATIENCE/
/** Units, how often something is looked at, and what is only drawn. */
const NOT_LIMITS = /^(?:UNIT_MS|MINUTE_MS|POLL_MS|LOOK_EVERY_MS|TERMINAL_MS|PLAIN_MS|SHRUNK_MIN)$/
/** Documented and tested with docs/price-book.md. */
const ELSEWHERE = /price-book\/parse\/|parse-price-book/

const files = new Map<string, Code>()
function fileAt(path: string): Code {
  const code = files.get(path) ?? readCode(path, readFileSync(path, 'utf8'))
  files.set(path, code)
  return code
}

/** The declarations of a file's constants, by name. */
function constantsOf({ nodes }: Code): ReadonlyMap<string, Node> {
  const constants = nodes.filter(({ type }) => type === 'VariableDeclarator')
  return new Map(constants.map((node) => [String((node['id'] as Node)['name']), node['init'] as Node]))
}

type Value = number | { readonly [member: string]: Value } | undefined

/** The value of a constant that is made of numbers, objects of them, and such constants. */
function valueOf(code: Code, name: string): Value {
  const own = constantsOf(code).get(name)
  if (own) return evaluate(code, own)
  for (const node of code.nodes) {
    if (node.type !== 'ImportDeclaration' || !(node['specifiers'] as Node[]).some((one) => isOf(one, name)))
      continue
    const from = (node['source'] as Node)['value'] as string
    return from.startsWith('.') ? valueOf(fileAt(join(dirname(code.path), from)), name) : undefined
  }
}

function isOf(specifier: Node, name: string): boolean {
  return isNode(specifier['local']) && specifier['local']['name'] === name
}

function evaluate(code: Code, node: unknown): Value {
  if (!isNode(node)) return undefined
  if (node.type === 'Literal')
    return /^\d+(?:\.\d+)?$/.test(String(node['value'])) ? Number(node['value']) : undefined
  if (node.type === 'Identifier') return valueOf(code, written(code, node))
  if (node.type === 'TSAsExpression' || node.type === 'TSSatisfiesExpression')
    return evaluate(code, node['expression'])
  if (node.type === 'ObjectExpression') {
    const members = (node['properties'] as Node[]).filter(({ type }) => type === 'Property')
    return Object.fromEntries(
      members.map((member) => [written(code, member['key']), evaluate(code, member['value'])]),
    )
  }
  // By platform: the page has the value of all others.
  if (node.type === 'ConditionalExpression') return evaluate(code, node['alternate'])
  if (node.type !== 'BinaryExpression') return undefined
  const [left, right] = [evaluate(code, node['left']), evaluate(code, node['right'])]
  if (typeof left !== 'number' || typeof right !== 'number') return undefined
  const results: Record<string, number> = {
    '*': left * right,
    '+': left + right,
    '-': left - right,
    '/': left / right,
    '**': left ** right,
  }
  return results[String(node['operator'])]
}

/** `SESSION.statement_timeout` of a file: the value of a constant, or of a member of one. */
function limitAt(path: string, name: string): number | undefined {
  const [constant = '', ...members] = name.split('.')
  let value = valueOf(fileAt(path), constant)
  for (const member of members) value = typeof value === 'object' ? value[member] : undefined
  return typeof value === 'number' ? value : undefined
}

const DURATIONS = [
  [86_400_000, 'days'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
  [1, 'ms'],
] as const

/** A limit as the page writes it: by its name's unit, in the largest one in which it is whole. */
function shown(name: string, value: number): string {
  if (/_(?:MS|timeout)(?:_|$)|Ms$/.test(name)) {
    const [size, unit] = DURATIONS.find(([ms]) => value % ms === 0 && value >= ms) ?? [
      1,
      value > 0 ? 'ms' : 's',
    ]
    return `${grouped(value / size)} ${unit}`
  }
  if (name.endsWith('_SECONDS')) return `${grouped(value)} s`
  if (/_HOURS(?:_|$|\.)/.test(name)) return `${grouped(value / 24)} days`
  if (/BYTES/.test(name) && value % 1024 === 0) {
    return value % 2 ** 20 === 0 ? `${grouped(value / 2 ** 20)} MiB` : `${grouped(value / 1024)} KiB`
  }
  return grouped(value)
}

function grouped(value: number): string {
  return value.toLocaleString('en')
}

/** Rows are `| value | of what | why | NAME | file below src |`. */
const ROWS = readFileSync('docs/limits.md', 'utf8')
  .split('\n')
  .map((line) => /^\| ([^|]+) \| [^|]+ \| [^|]+ \| `([\w.]+)` \| `([\w./-]+\.ts)` \|$/.exec(line))
  .filter((match) => match !== null)
  .map(([, value = '', name = '', file = '']) => ({ value, name, path: `src/${file}` }))

test('every limit in docs/limits.md has the value that the code has', () => {
  expect(ROWS.length).toBeGreaterThan(50)
  const real = ROWS.map(({ name, path, value }) => {
    const limit = limitAt(path, name)
    return `${path} ${name}: ${limit === undefined ? `is not a number there (${value})` : shown(name, limit)}`
  })
  expect(ROWS.map(({ name, path, value }) => `${path} ${name}: ${value}`)).toEqual(real)
})

test('every constant that is named as a limit is in docs/limits.md', () => {
  const documented = new Set(ROWS.map(({ name, path }) => `${path} ${name.split('.')[0]}`))
  const paths = readdirSync('src', { recursive: true, withFileTypes: true })
    .filter(({ name }) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => !ELSEWHERE.test(path))
  const limits = paths.flatMap((path) =>
    [...constantsOf(fileAt(path)).keys()]
      .filter((name) => LIMIT.test(name) && !NOT_LIMITS.test(name) && /^[A-Z0-9_]+$/.test(name))
      .map((name) => `${path} ${name}`),
  )
  expect(limits.length).toBeGreaterThan(50)
  expect(limits.filter((limit) => !documented.has(limit))).toEqual([])
})

test('values are computed as the code computes them', () => {
  const code = readCode(
    'src/a.ts',
    'const MIB = 2 ** 20\nconst A_BYTES_MAX = 8 * MIB\nconst B = { long_timeout: 3 * 60_000, c: f() } as const',
  )
  expect(shown('A_BYTES_MAX', valueOf(code, 'A_BYTES_MAX') as number)).toBe('8 MiB')
  expect(valueOf(code, 'B')).toEqual({ long_timeout: 180_000, c: undefined })
  expect(shown('B.long_timeout', 180_000)).toBe('3 min')
  expect([shown('X_MS', 1_500), shown('X_MS', 75_000), shown('X_HOURS', 1_488)]).toEqual([
    '1,500 ms',
    '75 s',
    '62 days',
  ])
})
