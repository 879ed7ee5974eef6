import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { LOG_AGE_MS_MAX, LOG_BYTES_MAX, pruneLogs } from '../../src/store/embedded/last-words.ts'

// Guarantee: PostgreSQL's logs are bounded by bytes and age, and the log of a failed start is never deleted.

const READY = 'LOG:  database system is ready to accept connections\n'
const FAILED = 'FATAL:  could not open the control file\n'

test('old and many bytes go, a failed start and many small files stay', () => {
  const home = mkdtempSync(join(tmpdir(), 'farthing-logs-'))
  const logs = join(home, 'log')
  mkdirSync(logs)
  const place = { dataDir: home, home, pgdata: join(home, 'postgres'), logs }
  const now = Date.now()
  const file = (name: string, text: string, ageMs = 0) => {
    const path = join(logs, `postgresql-${name}.log`)
    writeFileSync(path, text)
    utimesSync(path, (now - ageMs) / 1000, (now - ageMs) / 1000)
    return path
  }
  const failed = file('20250101-000000', FAILED, 2 * LOG_AGE_MS_MAX)
  const old = file('20250101-000001', READY, 2 * LOG_AGE_MS_MAX)
  const large = file('20260101-000000', READY + 'x'.repeat(LOG_BYTES_MAX))
  const small = Array.from({ length: 12 }, (_, index) => file(`20260201-0000${10 + index}`, READY))
  const newest = file('20260301-000000', '')
  pruneLogs(place, now)
  expect([failed, ...small, newest].filter((path) => !existsSync(path))).toEqual([])
  expect([old, large].filter((path) => existsSync(path))).toEqual([])
  rmSync(home, { recursive: true })
})
