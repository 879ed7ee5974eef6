import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Json } from '../../src/core/text/canonical-json.ts'
import type { LogIdentity } from '../../src/flows/log/log-identity.ts'
import { appendPending } from '../../src/flows/log/append-pending.ts'
import { signCheckpoints } from '../../src/flows/log/sign-checkpoints.ts'
import { makeSigningKey } from '../../src/flows/log/signing-key.ts'
import { readSigningKey } from '../../src/flows/log/signing-key.ts'
import { dieEverywhere } from '../simulation/die-everywhere.ts'
import { leafOf, mth, openCheckpoint, sha, tile } from '../unit/log-oracle.ts'
import { at, call, FIRST } from './backup-world.ts'
import { type Deployment, deployment } from './deployment.ts'

// Guarantee: all that is issued has one leaf, in one order, whatever dies, and any process that appends. Checkpoints are of one tree.

const folder = mkdtempSync(join(tmpdir(), 'farthing-log-'))
const made = makeSigningKey(join(folder, 'key'))
if (!made.ok) throw new Error(made.detail)
const identity: LogIdentity = { origin: 'log.example/bills', keys: [made.key] }

let deployed: Deployment
beforeAll(async () => {
  deployed = await deployment(FIRST)
})
afterAll(async () => {
  await deployed.close()
  rmSync(folder, { recursive: true, force: true })
})

type Row = Readonly<Record<string, unknown>>
async function rows(text: string): Promise<readonly Row[]> {
  return (await deployed.pool.query<Row>(text)).rows
}

async function appendAll(pool: Deployment['pool'] = deployed.pool): Promise<void> {
  while ((await appendPending(pool, identity)).leaves > 0);
  await signCheckpoints(pool, identity)
}

/** One transaction, as long as there is something to do. */
async function appendOrSign(pool: Deployment['pool']): Promise<void> {
  for (;;) {
    const [left] = await rows(
      `select exists (select from log_pending) as pending,
              exists (select from log_checkpoint where note is null) as unsigned`,
    )
    if (left!['pending']) await appendPending(pool, identity)
    else if (left!['unsigned']) await signCheckpoints(pool, identity)
    else return
  }
}

interface Leaf {
  readonly kind: number
  readonly account: string
  readonly hour: number | null
  readonly number: string | null
  readonly digest: Buffer
  readonly entry: Buffer
}

/** The log held against what was issued, by the letter of RFC 6962, and without the product's code. */
async function checkLog(): Promise<readonly Leaf[]> {
  expect(await rows('select * from log_pending')).toEqual([])
  const leaves = (await rows('select * from log_leaf order by tree, index')) as unknown as (Leaf & {
    index: string
  })[]
  expect(leaves.map(({ index }) => Number(index))).toEqual(leaves.map((_, index) => index))
  const salts = new Map(
    (await rows('select * from log_salt')).map(({ account, salt }) => [account, salt as Buffer]),
  )
  for (const { kind, account, digest, entry } of leaves)
    expect(entry).toEqual(Buffer.concat([Buffer.from([kind]), sha(salts.get(account)!, digest)]))
  const hashes = leaves.map(({ entry }) => leafOf(entry))
  for (const { level, number, hashes: is } of await rows('select * from log_tile'))
    expect(is).toEqual(tile(Number(level), Number(number), hashes))
  for (const { size, root } of await rows('select * from log_checkpoint'))
    expect(root).toEqual(mth(hashes.slice(0, Number(size))))
  expect(await rows('select tree, size from log_tree')).toEqual([{ tree: 1, size: String(leaves.length) }])
  const bills = await rows(
    'select account, hour, sequence as number, digest from bill order by account, sequence',
  )
  const logged = leaves.filter(({ kind }) => kind === 1)
  const byAccount = logged.toSorted(
    (one, two) => Number(one.account > two.account) - Number(one.account < two.account),
  )
  expect(byAccount.map(({ account, hour, number, digest }) => ({ account, hour, number, digest }))).toEqual(
    bills,
  )
  const count = async (table: string) => Number((await rows(`select count(*) from ${table}`))[0]!['count'])
  expect(leaves.filter(({ kind }) => kind === 4)).toHaveLength(await count('price_version'))
  expect(leaves.filter(({ kind }) => kind === 5)).toHaveLength(await count('audit_entry'))
  expect(leaves.filter(({ kind }) => kind === 6)).toHaveLength(await count('settlement_summary'))
  return leaves
}

/** The public key as `name+id+key`. */
function vkey(name: string): string {
  const key = Buffer.concat([Buffer.from([1]), made.ok ? made.key.publicKey : Buffer.alloc(0)])
  return `${name}+${sha(`${name}\n`, key).toString('hex', 0, 4)}+${key.toString('base64')}`
}

/** Of an operation without a price: its hour has no bill. */
function heldCall(account: string, time: string): Json {
  return JSON.parse(JSON.stringify(call(account, 'held', time)).replace('SimpleQuery', 'Unpriced')) as Json
}

const ACCOUNTS = Array.from({ length: 30 }, (_, number) => `account-${String(number).padStart(2, '0')}`)

test('what a first start and two hours bring has its leaves, prices before bills, and a checkpoint an hour', async () => {
  await deployed.send(ACCOUNTS.map((account) => call(account, '1', at(FIRST, 5))))
  await deployed.send(ACCOUNTS.map((account) => call(account, '2', at(FIRST + 1, 5))))
  await deployed.send([heldCall('nothing-billed', at(FIRST, 5)), heldCall('nor-here', at(FIRST, 6))])
  await deployed.settle()
  await appendAll()
  const leaves = await checkLog()
  expect(leaves.filter(({ kind }) => kind === 2).length).toBeGreaterThan(0)
  const firstOf = (wanted: number) => leaves.findIndex(({ kind }) => kind === wanted)
  expect(firstOf(4)).toBeLessThan(firstOf(1))
  const hours = await rows('select hour, size, note from log_checkpoint where hour is not null order by size')
  const settled = await rows('select hour from cycle where settled_at is not null order by hour')
  expect(hours.map(({ hour }) => hour)).toEqual(settled.map(({ hour }) => hour))
  for (const { hour, size } of hours) expect(leaves[Number(size) - 1]).toMatchObject({ kind: 6, hour })
  const [newest] = await rows('select note, size from log_checkpoint order by size desc limit 1')
  const opened = openCheckpoint(String(newest!['note']), [vkey('log.example/bills')])
  expect(opened).toMatchObject({
    origin: 'log.example/bills',
    size: Number(newest!['size']),
    signedBy: [vkey('log.example/bills')],
  })
  expect(made.ok && made.key.lastSigned()).toMatchObject({
    origin: 'log.example/bills',
    size: Number(newest!['size']),
  })
})

for (const how of ['before', 'after'] as const) {
  test(`an appender that dies ${how} any statement loses no leaf and doubles none`, async () => {
    await deployed.send(ACCOUNTS.map((account) => call(account, `late ${how}`, at(FIRST, 7))))
    await deployed.send([call(`history ${how}`, '1', at(FIRST - 500, 1))])
    await deployed.settle()
    const deaths = await dieEverywhere(deployed.pool, how, appendOrSign)
    expect(deaths).toBeGreaterThan(10)
    await checkLog()
    expect(readSigningKey(join(folder, 'key'))).toMatchObject({ ok: true })
  })
}

test('appenders at once make one tree', async () => {
  for (let round = 0; round < 6; round++) {
    await deployed.send(ACCOUNTS.map((account) => call(account, `round ${round}`, at(FIRST - 30 - round, 9))))
    const settling = deployed.settle()
    await Promise.all(Array.from({ length: 4 }, () => appendAll()))
    await settling
  }
  await appendAll()
  const leaves = await checkLog()
  expect(leaves.filter(({ kind }) => kind === 1).length).toBeGreaterThan(200)
})
