import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { makePool } from '../../src/store/connect.ts'
import { refuseFewSessions } from '../../src/store/session-budget.ts'
import { testDatabase, type TestDatabase } from '../database.ts'
import { farthing } from './cli-run.ts'

/** Guarantee: what is wrong with the settings is one line, and nothing was made before it was found. */

const home = mkdtempSync(join(tmpdir(), 'farthing-refused-'))
/** A database without a table, as a user makes it. */
const EMPTY = `never_${process.pid}`
let database: TestDatabase
beforeAll(async () => {
  chmodSync(home, 0o711)
  database = await testDatabase()
  await database.pool.query(`create database ${EMPTY} template template0`)
})
afterAll(async () => {
  await database.pool.query(`drop database ${EMPTY} with (force)`)
  await database.drop()
  rmSync(home, { recursive: true, force: true })
})

function book(name: string, change: (text: string) => string): string {
  const path = join(home, name)
  writeFileSync(path, change(readFileSync('price-books/minimal.yaml', 'utf8')))
  return path
}

/** As an earlier version has taken it: no rate charges the operation of the type by its unit. */
function uncovered(text: string): string {
  const rate =
    '{ operations: [Fold], unit: page, per: 1, prices: [{ from: "2025-01-01T00:00:00Z", price: "1" }] }'
  const item = `  Folding:\n    component: processing\n    rates:\n      default: ${rate}\n`
  const type = `eventTypes:\n  folded: { component: processing, operation: Fold, quantities: { pages: n } }\n`
  return `${text.trimEnd()}\n${item}${type}`
}

function emptyUrl(): string {
  const { host, port, user } = database.connection
  return `postgres://${user}@localhost/${EMPTY}?host=${encodeURIComponent(host)}&port=${port}`
}

async function tablesOfEmpty(): Promise<number> {
  const pool = makePool({ ...database.connection, database: EMPTY }, { max: 1, applicationName: 'test' })
  try {
    const { rowCount } = await pool.query(
      "select from pg_tables where schemaname !~ '^(pg_|information_schema)'",
    )
    return rowCount ?? 0
  } finally {
    await pool.end()
  }
}

const BOOKS: readonly (readonly [name: string, path: () => string, says: RegExp])[] = [
  [
    'a price that is a number',
    () => book('number.yaml', (text) => text.replace('price: "0.50"', 'price: 0.50')),
    /number\.yaml:\d+:\d+: .*price.*\.$/,
  ],
  ['no YAML', () => book('brace.yaml', (text) => `${text}\n{ a: [`), /brace\.yaml:\d+:\d+: /],
  ['an unknown key', () => book('key.yaml', (text) => `${text}\nitmes: {}\n`), /key\.yaml:\d+:1: .*items/],
  ['no text', () => book('bytes.yaml', () => '\u0000'), /bytes\.yaml:1:1: /],
  ['nothing', () => book('empty.yaml', () => ''), /empty\.yaml:1:1: /],
  ['a last line that is wrong', () => book('last.yaml', (text) => `${text}  x`), /last\.yaml:\d+:\d+: /],
  [
    'illustrative prices',
    () => join(process.cwd(), 'price-books/imm.yaml'),
    /imm\.yaml:\d+:\d+: .*illustrative: Prices marked illustrative are for demos only: replace them/,
  ],
  [
    'an event type that no rate covers',
    () => book('uncovered.yaml', uncovered),
    /uncovered\.yaml:\d+:\d+: .*pages/,
  ],
  ['no file', () => join(home, 'none.yaml'), /none\.yaml cannot be read .*: set FARTHING_PRICE_BOOK/],
  ['a directory', () => home, /cannot be read .*: set FARTHING_PRICE_BOOK/],
]

for (const [name, pathOf, says] of BOOKS) {
  test(`a price book with ${name} is refused before a database is made`, async () => {
    const dataDir = join(home, 'never')
    const env = { PORT: '0', FARTHING_DATA_DIR: dataDir, FARTHING_PRICE_BOOK: pathOf() }
    for (const databaseUrl of [{}, { DATABASE_URL: emptyUrl() }]) {
      const { code, stderr, stdout } = await farthing(['serve'], { env: { ...env, ...databaseUrl } })
      expect([code, stdout]).toEqual([1, ''])
      expect(stderr).toMatch(/^farthing: [^\n]+\n$/)
      expect(stderr.trim()).toMatch(says)
    }
    expect([existsSync(dataDir), await tablesOfEmpty()]).toEqual([false, 0])
  })
}

const FEW: readonly (readonly [limit: string, says: string])[] = [
  [
    'role ROLE connection limit 20',
    '(its role may have 20): raise the connection limit of the role, or set FARTHING_SESSIONS to 20.',
  ],
  [
    'database DATABASE connection limit 18',
    '(the database may have 18): raise the connection limit of the database, or set FARTHING_SESSIONS to 18.',
  ],
]

describe('a database with too few sessions for one process', () => {
  const role = `few_${process.pid}`
  const connection = () => ({ ...database.connection, database: EMPTY, user: role })
  const change = (text: string) =>
    database.pool.query(text.replaceAll('ROLE', role).replaceAll('DATABASE', EMPTY))
  beforeAll(() => change('create role ROLE login; grant all on database DATABASE to ROLE'))
  afterAll(() => change('drop owned by ROLE; drop role ROLE'))
  afterEach(() =>
    change('alter role ROLE nosuperuser connection limit -1; alter database DATABASE connection limit -1'),
  )

  for (const [limit, says] of FEW) {
    test(`is refused before a table is made: ${limit}`, async () => {
      await change(`alter ${limit}`)
      const url = emptyUrl().replace(`${database.connection.user}@`, `${role}@`)
      const env = { PORT: '0', FARTHING_DATA_DIR: join(home, 'few'), DATABASE_URL: url }
      const { code, stdout, stderr } = await farthing(['serve'], { env })
      const opens = 'The database has too few sessions for one process, which opens up to 24'
      expect([code, stdout, stderr]).toEqual([1, '', `farthing: ${opens} ${says}\n`])
      expect(await tablesOfEmpty()).toBe(0)
    })
  }

  // Fewer than the look at the database needs itself.
  for (const limit of [
    'role ROLE connection limit 6',
    'role ROLE connection limit 0',
    'database DATABASE connection limit 2',
  ]) {
    test(`is refused by the database itself: ${limit}`, async () => {
      await change(`alter ${limit}`)
      const url = emptyUrl().replace(`${database.connection.user}@`, `${role}@`)
      const env = { PORT: '0', FARTHING_DATA_DIR: join(home, 'few'), DATABASE_URL: url }
      const { code, stdout, stderr } = await farthing(['serve'], { env })
      expect([code, stdout]).toEqual([1, ''])
      expect(stderr).toMatch(
        /^farthing: The database at .+ has no session left \(too many connections .+\): end sessions .+ or database\.\n$/,
      )
      expect(await tablesOfEmpty()).toBe(0)
    })
  }

  test('is one with a limit below, and no other: PostgreSQL does not count the sessions of superusers', async () => {
    await change('alter role ROLE connection limit 24; alter database DATABASE connection limit 24')
    expect(await refuseFewSessions(connection(), 24)).toBeUndefined()
    expect(await refuseFewSessions(connection(), 25)).toMatchObject({ code: 'database/too_few_sessions' })
    await change('alter role ROLE superuser')
    expect(await refuseFewSessions(connection(), 25)).toBeUndefined()
  })
})

const VALUES: readonly (readonly [env: Record<string, string>, says: string | RegExp])[] = [
  [{ PORT: 'abc' }, 'PORT is "abc": set it to a number from 0 to 65535.'],
  [{ PORT: '8080 ' }, 'PORT is "8080 ": set it to a number from 0 to 65535.'],
  [{ HOST: ' ' }, /^Farthing cannot listen on .*: set HOST to an address of this machine\.$/],
  [
    { HOST: 'http://0.0.0.0' },
    /^Farthing cannot listen on http.*: set HOST to an address of this machine\.$/,
  ],
  [
    { FARTHING_GRACE: '10' },
    'FARTHING_GRACE is "10": write a whole number and s, m, h or d, such as 30s or 10m.',
  ],
  [{ FARTHING_GRACE: '1h' }, 'FARTHING_GRACE is "1h": set it to 0s to 50m.'],
  [{ FARTHING_BACKFILL_QUIET: '2h' }, 'FARTHING_BACKFILL_QUIET is "2h": set it to 1s to 1h.'],
  [{ FARTHING_ACCOUNTS: 'some' }, 'FARTHING_ACCOUNTS is "some": set it to any, or to known.'],
  [
    { FARTHING_GRACEE: '5m' },
    '"FARTHING_GRACEE" is no setting of Farthing: set FARTHING_GRACE, or unset it.',
  ],
  ...['localhost:5432/x', 'postgres//a@b/c', 'mysql://a@b/c', 'postgres://a@b:port/c'].map(
    (url) =>
      [{ DATABASE_URL: url }, 'DATABASE_URL is no address: write postgres://user@host:5432/name.'] as const,
  ),
]

for (const [env, says] of VALUES) {
  test(`${JSON.stringify(env)} is one line, and nothing is made`, async () => {
    const dataDir = join(home, 'never')
    const { code, stderr, stdout } = await farthing(['serve'], {
      env: { PORT: '0', FARTHING_DATA_DIR: dataDir, ...env },
    })
    const line = stderr.replace(/^farthing: /, '').replace(/\n$/, '')
    expect([code, stdout, existsSync(dataDir), line.includes('\n')]).toEqual([1, '', false, false])
    if (typeof says === 'string') expect(line).toBe(says)
    else expect(line).toMatch(says)
  })
}

test('every command that reads the environment refuses an unknown variable, and the others do not care', async () => {
  const dataDir = join(home, 'there')
  mkdirSync(dataDir)
  const env = { FARTHING_DATA_DIR: dataDir, FARTHING_KEY: 'frt_x', FARTHING_URRL: 'http://x' }
  const readers = [['bills'], ['import', 'x.ndjson'], ['settle'], ['verify'], ['keys', 'list']]
  for (const args of [...readers, ['restore', 'x'], ['backup', 'x']]) {
    const { code, stderr } = await farthing(args, { env })
    expect([args, code, stderr]).toEqual([
      args,
      1,
      'farthing: "FARTHING_URRL" is no setting of Farthing: set FARTHING_URL, or unset it.\n',
    ])
  }
  for (const args of [
    ['price-book', 'check', 'price-books/minimal.yaml'],
    ['--version'],
    ['bills', '--help'],
  ]) {
    expect([args, (await farthing(args, { env })).code]).toEqual([args, 0])
  }
})
