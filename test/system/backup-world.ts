import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type pg from 'pg'
import { type Hour, hourOf, startOf } from '../../src/core/time/hour.ts'
import { formatInstant, type Instant } from '../../src/core/time/instant.ts'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { type RestoredBackup, restoreBackup } from '../../src/flows/backup/restore-backup.ts'
import { type SavedBackup, saveBackup } from '../../src/flows/backup/save-backup.ts'
import { appendPending } from '../../src/flows/log/append-pending.ts'
import type { LogIdentity } from '../../src/flows/log/log-identity.ts'
import { signCheckpoints } from '../../src/flows/log/sign-checkpoints.ts'
import { makeSigningKey } from '../../src/flows/log/signing-key.ts'
import { makeKey } from '../../src/flows/keys/make-key.ts'
import { insertAuditEntry } from '../../src/store/audit.ts'
import { BACKED_UP } from '../../src/store/backed-up-tables.ts'
import { run } from '../../src/store/query.ts'
import type { TestDatabase } from '../database.ts'
import { type Deployment, deployment } from './deployment.ts'

/** The hour of the run; live hours begin five hours before it. */
const NOW = hourOf(Date.now() as Instant)
export const FIRST = (NOW - 5) as Hour

export function at(hour: number, minutes: number): string {
  return formatInstant((startOf(hour as Hour) + minutes * 60_000) as Instant)
}

function event(account: string, id: string, time: string, type: string, data: Json): Json {
  return {
    specversion: '1.0',
    id,
    source: 's\\\t\n"é',
    type: `farthing.${type}`,
    subject: account,
    time,
    data,
  }
}

export function call(account: string, id: string, time: string, project = 'photos'): Json {
  return event(account, id, time, 'request', { operation: 'SimpleQuery', status: 200, project })
}

export function level(account: string, id: string, time: string, bytes: string): Json {
  return event(account, id, time, 'storage', { project: 'photos', dataset: 'd', bytes })
}

/** A deployment with every kind of fact: no table of it is empty but those that another feature fills. */
export async function everyKindOfFact(): Promise<Deployment> {
  const deployed = await deployment(FIRST)
  const { pool, send, settle } = deployed
  await send([
    // Names that COPY has to escape.
    call('acme', 'a\\.', at(FIRST, 5), '\\.'),
    call('acme', '\\N', at(FIRST, 6), 'tab\tline\nend\r'),
    call('acme', 'twice', at(FIRST, 59)),
    level('acme', 'l1', at(FIRST, 30), '123456789012345678901234567890'),
    event('acme', 'unknown', at(FIRST, 7), 'request', { operation: 'Nothing', status: 200 }),
    event('globex', 'free', at(FIRST, 8), 'request', { operation: 'GetProject', status: 200 }),
    call('globex', '日本', at(FIRST + 1, 8)),
  ])
  await send([call('acme', 'a\\.', at(FIRST, 5), 'another'), { specversion: '1.0' }])
  await settle()
  // The same identity under another time, which settlement finds; and what comes late, or of last year.
  await send([
    call('acme', 'twice', at(NOW - 1, 30)),
    call('acme', 'late', at(FIRST + 1, 20)),
    level('acme', 'l2', at(FIRST + 1, 0), '5'),
    call('initech', 'old', '2025-03-30T01:10:00Z'),
    call('initech', 'older', '2024-12-31T23:59:59.999Z'),
  ])
  await settle({ graceMs: -3_600_000 })
  // Open hours, with all that settlement has still to do.
  await send([
    call('acme', 'open', at(NOW, 0)),
    call('hooli', 'backfill', '2025-03-30T02:10:00Z'),
    call('acme', 'later', at(FIRST + 2, 1)),
    level('acme', 'l3', at(FIRST + 2, 1), '7'),
  ])
  const key = { name: 'collector', scopes: ['usage:write'], account: 'acme', expiresAt: null } as const
  await makeKey(pool, key, Date.now() as Instant)
  await pool.query('update api_key set revoked_at = clock_timestamp() where name = $1', ['collector'])
  await fillWhatIsEmpty(pool)
  return deployed
}

/** Rows that no flow above makes. They follow the schema, and settlement and `verify` have no use for them. */
async function fillWhatIsEmpty(pool: pg.Pool): Promise<void> {
  const key = `hour, bucket, account, id, source`
  await pool.query(
    `insert into released_event (${key}, cycle) select ${key}, cycle + 1000000 from held_event join usage_event using (${key})`,
  )
  await pool.query(
    `insert into price_list (version, name, list, source, digest)
     select 1, 'p', text, text, sha256(convert_to(text, 'UTF8')) from (values ($1)) as list (text)`,
    ['{"discount":"0","priceList":"p"}'],
  )
  await pool.query(
    `insert into account_price_list (bucket, account, from_hour, list, assigned_by) values (0, 'a\\.', 1, null, 'cli:t')`,
  )
  await pool.query(
    `insert into rate_position (bucket, account, component, item, rate, stretch_from, position)
     values (0, 'a\\.', 'request', 'Calls', 'default', 1, 0)`,
  )
  await pool.query(
    `insert into account_month (bucket, account, month, first_hour) values (0, 'tab\tline', 24300, 1)`,
  )
  // The price list was made up, and is part of its version.
  await pool.query('update log_pending set digests = price_version_digest(1) where kind = 4')
  const entry = { actor: 'cli:t', act: 'settle/now', account: null } as const
  await run(pool, insertAuditEntry, { ...entry, detail: 'a line\\nand one more' })
  await signedLog(pool)
  await run(pool, insertAuditEntry, { ...entry, detail: 'this one waits for its place in the log' })
}

/** All that was issued is in the log, which is signed. */
export async function signedLog(pool: pg.Pool): Promise<LogIdentity> {
  const made = makeSigningKey(join(mkdtempSync(join(tmpdir(), 'farthing-log-')), 'key'))
  if (!made.ok) throw new Error(made.detail)
  const identity = { origin: 'log.example', keys: [made.key] }
  while ((await appendPending(pool, identity)).leaves > 0);
  await signCheckpoints(pool, identity)
  return identity
}

/** Each table that a backup holds, with its rows as text in an order that does not depend on how they lie. */
export async function contents(pool: pg.Pool): Promise<ReadonlyMap<string, readonly string[]>> {
  const tables = BACKED_UP.map(async ({ table }) => {
    const { rows } = await pool.query<{ row: string }>(
      `select t::text as row from "${table}" t order by t::text collate "C"`,
    )
    return [table, rows.map(({ row }) => row)] as const
  })
  return new Map(await Promise.all(tables))
}

/** Back up, at a time that is always the same. */
export function save(
  { pool }: Pick<Deployment, 'pool'>,
  to: string,
  foreign: string[] = [],
): Promise<SavedBackup> {
  return saveBackup({
    pool,
    to,
    farthing: '0.3.0',
    createdAt: '2026-01-02T03:04:05.678Z',
    onProgress: () => {},
    onForeignTable: (name) => foreign.push(name),
  })
}

export function restoreInto(
  { connection, pool }: TestDatabase,
  from: string,
  dataDir: string,
): Promise<RestoredBackup> {
  const now = Date.now() as Instant
  return restoreBackup({ from, connection, pool, dataDir, now, actor: 'cli:test', onProgress: () => {} })
}

export function mustBe(outcome: SavedBackup | RestoredBackup): void {
  if (!outcome.ok) throw new Error(outcome.detail)
}
