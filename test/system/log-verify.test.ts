import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readCheckpoint } from '../../src/core/log/checkpoint.ts'
import type { Hour } from '../../src/core/time/hour.ts'
import { appendPending } from '../../src/flows/log/append-pending.ts'
import { continueLog } from '../../src/flows/log/continue-log.ts'
import type { LogIdentity } from '../../src/flows/log/log-identity.ts'
import { readLogState } from '../../src/flows/log/log-state.ts'
import { signCheckpoints } from '../../src/flows/log/sign-checkpoints.ts'
import { makeSigningKey, type SigningKey } from '../../src/flows/log/signing-key.ts'
import { findKeptLog } from '../../src/flows/verify/kept-log.ts'
import { type Difference, verify } from '../../src/flows/verify/verify.ts'
import type { KeptRoot } from '../../src/flows/verify/verify-log.ts'
import { at, call, FIRST, level } from './backup-world.ts'
import { type Deployment, deployment } from './deployment.ts'

// Guarantee: legal states of the log are silent; what is changed, cut off or made again is named, by `verify` or by a
// checkpoint from before; and a key signs one tree alone.

const folder = mkdtempSync(join(tmpdir(), 'farthing-log-verify-'))
const keyAt = (name: string): SigningKey => {
  const made = makeSigningKey(join(folder, name))
  if (!made.ok) throw new Error(made.detail)
  return made.key
}
const [first, second] = [keyAt('first'), keyAt('second')]
const by = (...keys: readonly SigningKey[]): LogIdentity => ({ origin: 'log.example', keys })

let deployed: Deployment
let kept: KeptRoot
beforeAll(async () => {
  deployed = await deployment(FIRST)
})
afterAll(async () => {
  await deployed.close()
  rmSync(folder, { recursive: true, force: true })
})

async function grow(identity: LogIdentity): Promise<void> {
  while ((await appendPending(deployed.pool, identity)).leaves > 0);
  // As if a minute had gone by.
  await deployed.pool.query(`update log_checkpoint set at = at - interval '2 minutes'`)
  await appendPending(deployed.pool, identity)
  await signCheckpoints(deployed.pool, identity)
}

async function differences(sql: pg.Pool | pg.PoolClient, held?: KeptRoot): Promise<readonly Difference[]> {
  const found: Difference[] = []
  const all = { from: 0 as Hour, to: (2 ** 31 - 1) as Hour, kept: held, onProgress: () => undefined }
  for await (const difference of verify(sql, all)) found.push(difference)
  return found
}

async function newestNote(): Promise<string> {
  const { rows } = await deployed.pool.query<{ note: string }>(
    `select note from log_checkpoint where note is not null order by tree desc, size desc limit 1`,
  )
  return rows[0]!.note
}

test('legal states are silent: nothing appended, some pending, all appended, more since', async () => {
  await deployed.send([
    call('acme', '1', at(FIRST, 5)),
    call('globex', '1', at(FIRST, 6)),
    level('globex', 'l', at(FIRST, 7), '123456789'),
    JSON.parse(JSON.stringify(call('umbrella', 'held', at(FIRST, 8))).replace('SimpleQuery', 'Unpriced')),
  ])
  expect(await differences(deployed.pool)).toEqual([])
  await deployed.settle()
  expect(await differences(deployed.pool)).toEqual([])
  await grow(by(first))
  expect(await differences(deployed.pool)).toEqual([])
  await deployed.send([call('acme', 'late', at(FIRST, 9)), call('initech', '1', at(FIRST - 700, 9))])
  await deployed.settle()
  expect(await differences(deployed.pool)).toEqual([])
  await grow(by(first))
  kept = readCheckpoint((await newestNote()).split('\n\n')[0] + '\n')!
  expect(await differences(deployed.pool, kept)).toEqual([])
})

/** Each by the owner of the tables, with all digests made again as far as the change says. */
const CHANGES: readonly (readonly [name: string, statements: string, says: RegExp])[] = [
  ['a bill has another total', `update bill set total = total + 1 where sequence = 1`, /total/],
  [
    'the newest bill of an account is gone, and what counts it',
    `delete from bill_line where account = 'initech'; delete from bill where account = 'initech';
     delete from account where account = 'initech'; delete from usage_event where account = 'initech'`,
    /is in the log, and is not there any more/,
  ],
  [
    'a bill and its entry have another digest',
    `update bill set digest = sha256('other') where account = 'initech';
     update account set last_digest = sha256('other') where account = 'initech';
     update log_leaf set digest = sha256('other') where account = 'initech'`,
    /its entry is not that of its digest/,
  ],
  [
    'the log is made again without its newest entries',
    `update log_tree set size = 2; delete from log_leaf where index >= 2; delete from log_checkpoint where size > 2`,
    /your checkpoint of \d+: the log has 2 entries: the newest were cut off/,
  ],
  [
    'an entry is made again, with its salt',
    `update log_salt set salt = sha256('salt') where account = 'initech';
     update log_leaf l set entry = '\\x01'::bytea || sha256(sha256('salt') || l.digest) where account = 'initech'`,
    /your checkpoint of \d+: the entries before it have another root: the log was rewritten/,
  ],
  [
    'an audit entry has another actor',
    `update audit_entry set actor = 'nobody' where number = 1`,
    /audit entry 1 .*was logged with/,
  ],
  [
    'an audit entry is gone',
    `delete from audit_entry where number = 1`,
    /audit entry 1 .*not there any more/,
  ],
  [
    'an audit entry is added',
    `insert into audit_entry (actor, act, detail) values ('x', 'key/make', 'x')`,
    /audit entry \d+.*has no entry/,
  ],
  [
    'a price version has another digest',
    `update price_version set digest = sha256('x')`,
    /price version 1 .*was logged with/,
  ],
  ['an hour without a bill is gone', `delete from settled_hour`, /hours without a bill .*not there any more/],
  [
    'an hour without a bill is of another account',
    `update settled_hour set account = 'other'`,
    /hours without a bill .*was logged with/,
  ],
  [
    'a summary says other sums',
    `update settlement_summary set text = replace(text, '"bills":', '"bills":1')`,
    /the bills of the hour come to/,
  ],
  ['a summary is gone', `delete from settlement_summary`, /summary of .*not there any more/],
  [
    'a tile has another hash',
    `update log_tile set hashes = set_byte(hashes, 0, 255 - get_byte(hashes, 0))`,
    /tile 0\/0: is not that of the entries/,
  ],
  [
    'a checkpoint has another root',
    `update log_checkpoint set root = sha256('x')`,
    /checkpoint of \d+: the entries before it have another root/,
  ],
  [
    'a checkpoint has the note of another',
    `update log_checkpoint set note = (select max(note) from log_checkpoint)`,
    /its note says another size or root/,
  ],
  ['an entry in the middle is gone', `delete from log_leaf where index = 3`, /entry 3: is missing/],
  ['all salts are gone', `delete from log_salt`, /its salt is missing/],
  ['what waits is gone', `delete from log_pending`, /has no entry in the log, and none waits for it/],
]

describe('what is changed', () => {
  beforeAll(async () => {
    // Something waits.
    await deployed.pool.query(
      `with e as (insert into audit_entry (actor, act, detail) values ('t', 'settle/now', 'waits') returning *)
       insert into log_pending (kind, accounts, numbers, digests, leaves)
       select 5, array[''], array[number], audit_digest(number, at, actor, act, account, detail), 1 from e`,
    )
  })
  for (const [name, statements, says] of CHANGES) {
    test(`is named: ${name}`, async () => {
      const client = await deployed.pool.connect()
      try {
        await client.query(`begin; ${statements}`)
        const found = await differences(client, kept)
        expect(found.map(({ place, detail }) => `${place}: ${detail}`).join('\n')).toMatch(says)
      } finally {
        await client.query('rollback')
        client.release()
      }
    })
  }
  test('and nothing, of what was not changed', async () => {
    expect(await differences(deployed.pool, kept)).toEqual([])
  })
})

test('only a process with the key appends and signs; a second key signs beside it, and then alone', async () => {
  expect(await appendPending(deployed.pool, by(second))).toMatchObject({ leaves: 0 })
  const others = await readLogState(deployed.pool, by(second))
  expect(others.trouble).toMatch(/^This process has no key of the log/)
  await grow(by(second, first))
  await deployed.pool.query(`select 1`)
  await deployed.send([call('acme', 'more', at(FIRST, 10))])
  await deployed.settle()
  await grow(by(second, first))
  expect((await newestNote()).match(/^— /gm)).toHaveLength(2)
  await grow(by(first))
  await grow(by(second))
  expect(await appendPending(deployed.pool, by(first))).toMatchObject({ leaves: 0 })
  expect((await readLogState(deployed.pool, by(first))).trouble).toMatch(/no key of the log/)
  expect((await readLogState(deployed.pool, by(second))).trouble).toBeUndefined()
  const { rows } = await deployed.pool.query(`select detail from audit_entry where act = 'log/key'`)
  expect(rows).toHaveLength(3)
  expect(await differences(deployed.pool, kept)).toEqual([])
})

test('a tree that does not extend what was signed is not signed until it is continued, which everybody sees', async () => {
  const before = (await newestNote()).split('\n')[1]!
  // As after a failover that has lost the last commits.
  await deployed.pool.query(
    `delete from log_leaf where index >= 5; delete from log_checkpoint where size > 5; update log_tree set size = 5;
     update log_tile set hashes = substring(hashes from 1 for 5 * 32) where level = 0`,
  )
  const state = await readLogState(deployed.pool, by(second))
  expect(state.trouble).toContain(
    `The log has 5 entries, and the key ${join(folder, 'second')} has signed ${before}`,
  )
  await deployed.send([call('acme', 'after', at(FIRST, 11))])
  await deployed.settle()
  await appendPending(deployed.pool, by(second))
  expect(await signCheckpoints(deployed.pool, by(second))).toHaveProperty('refused')
  const asked = { identity: by(second), reason: 'a failover', actor: 'cli:t', always: false }
  const continued = await continueLog(deployed.pool, asked)
  expect(continued).toEqual({ ok: true, origin: 'log.example/2', before: 'log.example' })
  expect(await continueLog(deployed.pool, asked)).toMatchObject({ ok: false, code: 'tlog/not_broken' })
  await grow(by(second))
  expect((await newestNote()).split('\n')[0]).toBe('log.example/2')
  expect((await readLogState(deployed.pool, by(second))).trouble).toBeUndefined()
  const found = await findKeptLog(deployed.pool, kept)
  expect(found.continued).toEqual([
    { origin: 'log.example/2', reason: 'a failover', covered: expect.any(Number) as number },
  ])
  // What was lost with the entries is named: bills that are not in the log.
  const places = (await differences(deployed.pool)).map(({ detail }) => detail)
  expect(new Set(places)).toEqual(new Set(['has no entry in the log, and none waits for it']))
})
