import { spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'

/** What DuckDB answers, each value as text. */
export async function duck(sql: string): Promise<readonly (readonly (string | null)[])[]> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    const rows = (await connection.runAndReadAll(sql)).getRows()
    return rows.map((row) => row.map((value) => (value === null ? null : String(value))))
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

interface Checked {
  readonly code: number | null
  readonly said: string
}

function checkWith(program: string, args: readonly string[], text: string): Checked {
  const file = join(mkdtempSync(join(tmpdir(), 'farthing-journal-')), 'bills.journal')
  writeFileSync(file, text)
  const { status, stdout, stderr } = spawnSync(
    program,
    args.map((arg) => (arg === 'FILE' ? file : arg)),
    {
      encoding: 'utf8',
      env: { ...process.env, LANG: 'C.UTF-8' },
    },
  )
  return { code: status, said: stdout + stderr }
}

/** Everything that hledger checks, strictly: all accounts and commodities are declared, all transactions balance. */
export function checkHledger(text: string): Checked {
  return checkWith('hledger', ['-f', 'FILE', 'check', '--strict'], text)
}

/** The balances that hledger reads. */
export function hledgerBalances(text: string): string {
  return checkWith('hledger', ['-f', 'FILE', 'balance', '--flat', '--no-total', '-E', '-O', 'csv'], text).said
}

export function checkBeancount(text: string): Checked {
  return checkWith('bean-check', ['FILE'], text)
}
