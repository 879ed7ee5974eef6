import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeLog } from '../../src/log.ts'
import { forwardingLog } from '../../src/threads/forwarding-log.ts'
import { testDatabase, type TestDatabase } from '../database.ts'

// Guarantee: what a customer has sent stands in no log, whatever the driver says with an error; and foreign text in a log moves
// no cursor and makes no second entry.

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
  await database.pool.query(`create table sample (
    id text primary key, amount numeric(4, 2) check (amount < 50), seen date, note text not null, kind smallint)`)
  await database.pool.query(`create function fail() returns trigger language plpgsql as $$
    begin perform ('x' || new.note)::int; return new; end $$`)
})
afterAll(() => database.drop())

const SECRET = 'customer-secret-4711'

/** Statements that fail, with a customer's text among their values. */
const FAILING: Readonly<Record<string, readonly [sql: string, values: readonly unknown[], code: string]>> = {
  'a key that is there': [
    `insert into sample values ('${SECRET}', 1, null, 'x'), ('${SECRET}', 1, null, 'x')`,
    [],
    '23505',
  ],
  'a row that a check refuses': ['insert into sample values ($1, 60, null, $1)', [SECRET], '23514'],
  'a value that is missing': ['insert into sample values ($1, 1, null, null)', [SECRET], '23502'],
  'a number out of range': ['insert into sample values ($1, 1000, null, $1)', [SECRET], '22003'],
  'a text that is no number': [`select '${SECRET}'::bigint`, [], '22P02'],
  'a parameter that is no number': ['select $1::bigint', [SECRET], '22P02'],
  'a text that is no date': [`select '${SECRET}'::date`, [], '22007'],
  'a text that is no JSON': [`select '{"a": ${SECRET}'::jsonb`, [], '22P02'],
  'a text that is too long': [
    `select cast(repeat('${SECRET}', 9) as varchar(3)) || ('${SECRET}')::uuid`,
    [],
    '22P02',
  ],
  'an error within a function': [
    `do $$ begin raise exception 'no' using detail = '${SECRET}', hint = '${SECRET}'; end $$`,
    [],
    'P0001',
  ],
}

async function failure(sql: string, values: readonly unknown[]): Promise<Error> {
  try {
    await database.pool.query(sql, [...values])
  } catch (error) {
    return error as Error
  }
  throw new Error('the statement did not fail')
}

function logOf(isTTY: boolean) {
  const lines: string[] = []
  return { lines, log: makeLog({ isTTY, write: (line: string) => void lines.push(line) }) }
}

describe('an error of PostgreSQL is logged without a row', () => {
  for (const [name, [sql, values, code]] of Object.entries(FAILING)) {
    test(`told of: ${name}`, async () => {
      const error = await failure(sql, values)
      const around = new Error('it failed', { cause: error })
      const several = new AggregateError([error, error], 'all failed')
      for (const isTTY of [false, true]) {
        for (const err of [error, around, several]) {
          const { lines, log } = logOf(isTTY)
          log.error({ err }, 'A group of events was not stored')
          // As a thread passes it on.
          forwardingLog(({ level, fields, text }) => log[level](structuredClone(fields), text)).error(
            { err },
            'In a thread',
          )
          const text = lines.join('')
          expect(text).not.toContain(SECRET)
          expect(text).not.toContain('4711')
          if (!isTTY) expect(text).toContain(`"code":"${code}"`)
        }
      }
    })
  }

  test('it keeps what happened: code, message, table, constraint, and where in our code', async () => {
    const [sql, values] = FAILING['a key that is there']!
    const { lines, log } = logOf(false)
    log.error({ err: await failure(sql, values) }, 'failed')
    expect(JSON.parse(lines[0]!).err).toEqual({
      type: 'error',
      message: 'duplicate key value violates unique constraint "sample_pkey"',
      code: '23505',
      severity: 'ERROR',
      schema: expect.any(String),
      table: 'sample',
      constraint: 'sample_pkey',
      stack: expect.stringContaining('log-errors.test.ts'),
    })
  })
})

/** Texts of customers that mean something to a terminal, or to a reader of lines. */
const HOSTILE: Readonly<Record<string, string>> = {
  'an escape sequence': '\u001b[2J\u001b]0;owned\u0007',
  'the same in C1': '\u009b2J\u009d0;owned\u009c',
  'a line that looks like another entry': 'acme\n12:00:00 error: everything is lost',
  'a carriage return': 'acme\rfatal: gone',
  'a turned direction': 'acme\u202egnp.exe\u2066x',
  'line separators': 'acme\u2028error: x\u2029y\u0085z',
  'a tag character': 'acme\u{e0041}',
  'a call that looks like one of a stack': 'acme\n    at evil (file:1:1)',
}

describe('foreign text in the log', () => {
  for (const [name, text] of Object.entries(HOSTILE)) {
    test(`is one line of what can be seen: ${name}`, () => {
      for (const isTTY of [false, true]) {
        const { lines, log } = logOf(isTTY)
        log.warn(
          { account: text, path: `/v1/${text}`, headers: { 'user-agent': text }, [text]: 1 },
          `Of ${text}`,
        )
        log.error({ err: new Error(text), requestId: text }, 'failed')
        expect(lines).toHaveLength(2)
        const [entry, error] = lines as [string, string]
        expect(lines.join('').replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
        expect(entry.match(/\n/g)).toHaveLength(1)
        if (isTTY) {
          for (const line of error.trimEnd().split('\n').slice(2))
            expect(line).toMatch(/^ {4}at .*log-errors|^ {4}at .*node_modules|^ {4}at (?!evil)/)
        } else {
          expect(JSON.parse(entry)).toMatchObject({ account: text, msg: `Of ${text}` })
          expect(JSON.parse(error).err.message).toBe(text)
        }
      }
    })
  }
})
