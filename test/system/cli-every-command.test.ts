import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Command } from 'commander'
import stringWidth from 'string-width'
import Type, { type TSchema } from 'typebox'
import { Clean, Errors } from 'typebox/value'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeProgram } from '../../src/cli/program.ts'
import { ROUTES } from '../../src/http/routes.ts'
import { databaseUrl } from '../database.ts'
import type { Run, RunOptions } from './cli-run.ts'
import { type ServerProcess, serverProcess } from './cli-server.ts'
import { BACKUP, itemSchemaOf, schemaOf, type Try, TRIES } from './every-command.ts'
import { at, call, everyOutcome, FIRST, PRICE_LIST, REJECTED_LINES, TOO_OLD } from './every-outcome.ts'

// Guarantee: every command of the program shows every outcome that an event can have: as a table, in 80 columns, and as
// the JSON that the API declares. The commands are taken from the program, so that a new one cannot be forgotten.

const COLUMNS = 80
const DOCS = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')

let deployed: Awaited<ReturnType<typeof everyOutcome>>
let server: ServerProcess | undefined
const folder = mkdtempSync(join(tmpdir(), 'farthing-commands-'))
chmodSync(folder, 0o711)
const file = (name: string) => join(folder, name)

beforeAll(async () => {
  deployed = await everyOutcome()
  writeFileSync(file('rejected.ndjson'), Object.values(REJECTED_LINES).join('\n'))
  writeFileSync(file('good.ndjson'), `${JSON.stringify(call('imported', at(FIRST + 3)))}\n`)
  writeFileSync(
    file('day.ndjson'),
    [call('a', at(FIRST)), call('b', at(FIRST))].map((one) => JSON.stringify(one)).join('\n'),
  )
  writeFileSync(file('old.ndjson'), `${JSON.stringify(TOO_OLD)}\n`)
  writeFileSync(file('list.yaml'), PRICE_LIST)
  // The commands below ask more often than a person would.
  server = await serverProcess({
    DATABASE_URL: databaseUrl(deployed.connection),
    FARTHING_QUESTION_RATE: '10000',
  })
  writeFileSync(
    file('book.yaml'),
    (await run(['price-book', 'show', '--json'])).stdout.replace(/[\s\S]*/, bookOf),
  )
  const bound = (
    await run(['keys', 'create', 'bound', '--scope', 'usage:write', '--account', 'globex'])
  ).stdout.trim()
  const imported = await run(['import', file('rejected.ndjson'), '--no-wait'])
  const foreign = await run(['import', file('good.ndjson'), '--no-wait'], { env: { FARTHING_KEY: bound } })
  const old = await run(['import', file('old.ndjson'), '--no-wait'], { env: { FARTHING_KEY: bound } })
  for (const { code, stderr } of [imported, foreign, old]) if (code !== 3) throw new Error(stderr)
}, 180_000)
afterAll(async () => {
  await server?.close()
  await deployed?.close()
  rmSync(folder, { recursive: true, force: true })
})

const bookOf = (json: string) => JSON.stringify((JSON.parse(json) as { readonly book: object }).book)

function run(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const env = {
    DATABASE_URL: databaseUrl(deployed.connection),
    FARTHING_KEY: deployed.adminKey,
    NO_COLOR: '1',
  }
  return server!.run(args, { ...options, env: { ...env, ...options.env } })
}

function leaves(
  command: Command,
  path: readonly string[] = [],
): readonly { readonly name: string; readonly command: Command }[] {
  return command.commands.flatMap((child) => {
    const own = [...path, child.name()]
    return child.commands.length > 0 ? leaves(child, own) : [{ name: own.join(' '), command: child }]
  })
}
const never = () => Promise.reject(new Error('nothing is run here'))
const COMMANDS = leaves(
  makeProgram({ serve: never, readSettings: () => ({ ok: false, detail: '' }) }, () => undefined),
)

async function jsonLines(args: readonly string[]): Promise<readonly Record<string, unknown>[]> {
  const { code, stdout, stderr } = await run(args)
  expect([args, code, stderr]).toEqual([args, 0, stderr])
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

/** What of a value is not as declared: a wrong type, a null where none may be, a member that is not declared. */
function undeclared(schema: TSchema, value: unknown): unknown {
  const wrong = [...Errors(schema, value)].map(({ instancePath, message }) => `${instancePath}: ${message}`)
  const cleaned = Clean(schema, structuredClone(value))
  return wrong.length === 0 && isDeepStrictEqual(cleaned, value) ? undefined : { wrong, value }
}

function expectWords(text: string): void {
  expect(text).not.toMatch(/undefined|NaN|\[object|Invalid Date|^\s+at .+:\d+:\d+/m)
}

describe('the world has every outcome', () => {
  test('each code of a rejection and of a conflict', async () => {
    const codes = new Set(
      (await jsonLines(['refused', '--counts', '--json'])).map(({ code }) => String(code)),
    )
    // No event is known that the database refuses behind all checks, and none here stores data in 100,000 series.
    const others = ['event/unstorable', 'event/too_many_series']
    const documented = codesOf('Rejected').filter((code) => !others.includes(code))
    expect([...codes].toSorted()).toEqual([...documented, ...codesOf('In conflict')].toSorted())
  })

  test('each reason to hold an event', async () => {
    const codes = new Set((await jsonLines(['held', '--json'])).map(({ code }) => String(code)))
    expect([...codes].toSorted()).toEqual(codesOf('Held').toSorted())
  })

  test('each effect of a void', async () => {
    const effects = new Set((await jsonLines(['voids', '--json'])).map(({ effect }) => String(effect)))
    expect([...effects].toSorted()).toEqual(['given_back', 'left_out', 'none'])
  })
})

function codesOf(heading: string): readonly string[] {
  const section = DOCS.split(/^###? /m).find((part) => part.startsWith(heading))!
  return [...section.matchAll(/^\| `([a-z_]+\/[a-z_]+)`/gm)].map(([, code]) => code!)
}

test('no command is forgotten', () => {
  expect(Object.keys(TRIES).toSorted()).toEqual(COMMANDS.map(({ name }) => name).toSorted())
  for (const { name, command } of COMMANDS.filter(({ name: each }) => each !== 'restore')) {
    const hasJson = command.options.some(({ long }) => long === '--json')
    expect([name, TRIES[name]!.some(({ json }) => json !== undefined) || name === 'events check']).toEqual([
      name,
      hasJson || name === 'events check',
    ])
  }
})

async function expectTable(args: readonly string[], code: number): Promise<void> {
  const wide = await run(args)
  expect([args, wide.code, wide.stderr]).toEqual([args, code, wide.stderr])
  const { stdout, stderr } = await run(args, { columns: COLUMNS })
  for (const text of [wide.stdout, wide.stderr, stdout, stderr]) expectWords(text)
  if (args[0] === 'completion') return
  expect(stdout).not.toMatch(/\bnull\b/)
  // What is found in a file is one line each, as editors understand it; a sentence is broken by the terminal.
  const isSentence = (line: string) =>
    /^\/\S+:\d+:\d+: /.test(line) || (line.endsWith('.') && !/ {2}/.test(line))
  const lines = stdout.split('\n').filter((line) => !isSentence(line))
  expect(lines.filter((line) => stringWidth(line) > COLUMNS)).toEqual([])
}

async function expectJson(
  args: readonly string[],
  json: NonNullable<Try['json']>,
  code: number,
): Promise<void> {
  const printed = await run([...args, '--json'])
  expect([args, printed.code, printed.stderr]).toEqual([args, code, printed.stderr])
  expectWords(printed.stdout)
  if ('items' in json || 'lines' in json) {
    const schema = 'items' in json ? itemSchemaOf(json.items) : json.lines
    const lines = printed.stdout.split('\n').filter(Boolean)
    expect(lines.map((line) => undeclared(schema, JSON.parse(line))).filter(Boolean)).toEqual([])
    if ('items' in json) expect(lines.length).toBeGreaterThan(0)
    return
  }
  const schema = 'answer' in json ? schemaOf(json.answer) : json.own
  expect(undeclared(schema, JSON.parse(printed.stdout))).toBeUndefined()
}

/** The words of a command, with what `@` stands for. */
async function wordsOf(args: readonly string[]): Promise<readonly string[]> {
  const found = {
    '@bill': async () => (await jsonLines(['bills', '--account', 'acme', '--json']))[0]!['id'] as string,
    '@key': async () => {
      const keys = await jsonLines(['keys', 'list', '--json'])
      return keys.find(({ name, revokedAt }) => name === 'more' && revokedAt === null)!['id'] as string
    },
  }
  return Promise.all(
    args.map(async (arg) => {
      if (arg === '@bill' || arg === '@key') return found[arg]()
      return arg.startsWith('@') ? file(arg.slice(1)) : arg
    }),
  )
}

for (const { args, json, code = 0 } of Object.values(TRIES).flat()) {
  test(`farthing ${args.join(' ')}`, async () => {
    if (json) await expectJson(await wordsOf(args), json, code)
    await expectTable(await wordsOf(args), code)
  })
}

test('events check --json prints each event, and what a dry run says of it', async () => {
  const route = ROUTES.find(({ method, url }) => `${method} ${url}` === 'POST /v1/events')!
  const { events } = (
    route as unknown as { answers: Record<number, { properties: Record<string, { items: TSchema }> }> }
  ).answers[200]!.properties
  const { stdout, code } = await run(['events', 'check', file('rejected.ndjson'), '--json'])
  expect(code).toBe(3)
  const lines = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(lines).toHaveLength(Object.keys(REJECTED_LINES).length)
  for (const { line, currency, ...event } of lines) {
    expect([typeof line, currency]).toEqual(['number', 'EUR'])
    expect(undeclared(events!.items, { index: 0, ...event })).toBeUndefined()
  }
})

test('explain shows every event that there is, and every line of every bill', async () => {
  const { rows } = await deployed.pool.query<{ account: string; id: string }>(
    'select account, id from usage_event union select account, id from refused_event where account is not null and id is not null',
  )
  for (const { account, id } of rows.filter(({ id: each }) => !each.includes('\0'))) {
    await expectTable(['explain', '--account', account, id], 0)
    await expectJson(['explain', '--account', account, id], { answer: 'GET /v1/events' }, 0)
  }
  for (const { id } of await jsonLines(['bills', '--json'])) {
    const { lines } = JSON.parse((await run(['bill', String(id), '--json'])).stdout) as {
      lines: { number: number }[]
    }
    for (const { number } of lines) await expectTable(['explain', String(id), String(number)], 0)
  }
}, 240_000)

test('each reason for which nothing is charged is explained', async () => {
  const { rows } = await deployed.pool.query<{ account: string; id: string }>(
    'select distinct account, id from usage_event',
  )
  const codes = new Set<string>()
  for (const { account, id } of rows) {
    const { stdout } = await run(['explain', '--account', account, id, '--json'])
    for (const [, code] of stdout.matchAll(/"code":\s?"(not_charged\/\w+)"/g)) codes.add(code!)
  }
  expect([...codes].toSorted()).toEqual(
    codesOf('Not charged')
      .filter((code) => code !== 'not_charged/free')
      .toSorted(),
  )
}, 120_000)

test('farthing restore brings it all back, and it is proved', async () => {
  const dataDir = file('restored')
  const restored = await run(['restore', file('all.backup'), '--verify', '--json'], {
    env: { DATABASE_URL: '', FARTHING_DATA_DIR: dataDir },
  })
  expect([restored.code, restored.stderr]).toEqual([0, restored.stderr])
  expect(
    undeclared(Type.Object({ ...BACKUP, adminKeyPath: Type.String() }), JSON.parse(restored.stdout)),
  ).toBeUndefined()
}, 120_000)
