import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { appendPending } from '../../src/flows/log/append-pending.ts'
import type { LogIdentity } from '../../src/flows/log/log-identity.ts'
import { signCheckpoints } from '../../src/flows/log/sign-checkpoints.ts'
import { makeSigningKey } from '../../src/flows/log/signing-key.ts'
import { leafOf, mth, openCheckpoint, tile } from '../unit/log-oracle.ts'
import { requestEvent, testServer, type TestServer } from './http-server.ts'

// Guarantee: the log is served by the letter of C2SP, a proof proves with one file and nothing else, and a customer's key gets
// proofs of its own bills only.

const folder = mkdtempSync(join(tmpdir(), 'farthing-log-serve-'))
function identityWith(name: string): LogIdentity {
  const made = makeSigningKey(join(folder, name))
  if (!made.ok) throw new Error(made.detail)
  return { origin: 'log.example/served', keys: [made.key] }
}
const [own, openOne] = [identityWith('key'), identityWith('other')]

let server: TestServer
let open: TestServer
let bills: readonly string[]
const HOUR = new Date(Date.now() - 50 * 3_600_000).toISOString()

async function grow(of: TestServer, identity = own): Promise<void> {
  const { pool } = of.database
  while ((await appendPending(pool, identity)).leaves > 0);
  await pool.query(`update log_checkpoint set at = at - interval '2 minutes'`)
  await appendPending(pool, identity)
  await signCheckpoints(pool, identity)
}

beforeAll(async () => {
  server = await testServer()
  open = await testServer({ isLogPublic: true })
  const accounts = Array.from({ length: 270 }, (_, number) => `account-${number}`)
  await server.send(accounts.map((subject) => requestEvent('1', { subject, time: HOUR })))
  await server.settle()
})
afterAll(async () => {
  await server.close()
  await open.close()
  rmSync(folder, { recursive: true, force: true })
})

test('before a checkpoint: a bill has no proof yet, and the log no checkpoint', async () => {
  const listed = await server.ask('/v1/bills?limit=1000')
  bills = listed.json.items.map(({ id }: { id: string }) => id)
  const early = await server.ask(`/v1/bills/${bills[0]}/proof`)
  expect([early.status, early.json.code, early.headers.get('retry-after')]).toEqual([
    409,
    'bill/not_in_checkpoint',
    '10',
  ])
  expect((await server.ask('/log/checkpoint')).json.code).toBe('tlog/unsigned')
  expect((await server.ask('/v1/log')).json).toMatchObject({ origin: null, size: 0, signed: false })
  await grow(server)
})

async function bytesOf(path: string): Promise<{ readonly status: number; readonly bytes: Buffer }> {
  const answer = await fetch(`${server.url}/log/${path}`, {
    headers: { authorization: `Bearer ${server.adminKey}` },
  })
  return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()) }
}

/** All entries, as a client of tlog-tiles reads them. */
async function entriesOf(size: number): Promise<readonly Buffer[]> {
  const entries: Buffer[] = []
  for (let number = 0; number * 256 < size; number++) {
    const width = Math.min(256, size - number * 256)
    const { bytes } = await bytesOf(
      `tile/entries/${String(number).padStart(3, '0')}${width < 256 ? `.p/${width}` : ''}`,
    )
    for (let at = 0; at < bytes.length; at += 2 + bytes.readUInt16BE(at))
      entries.push(bytes.subarray(at + 2, at + 2 + bytes.readUInt16BE(at)))
  }
  return entries
}

test('a client that knows C2SP alone reads the checkpoint and all tiles, and gets the same root', async () => {
  const { json } = await server.ask('/v1/log')
  const answer = await server.ask('/log/checkpoint')
  expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8')
  const { origin, size, root, signedBy } = openCheckpoint(answer.text, json.keys)
  expect([origin, signedBy]).toEqual(['log.example/served', json.keys])
  const entries = await entriesOf(size)
  expect(entries).toHaveLength(size)
  const leaves = entries.map(leafOf)
  expect(mth(leaves)).toEqual(root)
  const last = Math.floor(size / 256)
  for (const [path, level, number] of [
    ['tile/0/000', 0, 0],
    [`tile/0/${String(last).padStart(3, '0')}.p/${size % 256}`, 0, last],
    ['tile/0/000.p/17', 0, 0],
    [`tile/1/000.p/${last}`, 1, 0],
  ] as const) {
    const { status, bytes } = await bytesOf(path)
    const width = Number(/\.p\/(\d+)$/.exec(path)?.[1] ?? 256)
    expect([path, status, bytes.toString('hex')]).toEqual([
      path,
      200,
      tile(level, number, leaves)
        .subarray(0, width * 32)
        .toString('hex'),
    ])
  }
  for (const path of [
    'tile/0/009',
    'tile/1/000',
    'tile/entries/001',
    'tile/0/000.p/256',
    'tile/0/0',
    'tile/x/000',
    'tile/',
    'tile/0/..%2f000',
  ])
    expect([path, (await bytesOf(path)).status]).toEqual([path, 404])
})

test('a tile is kept by caches, a checkpoint is asked for again', async () => {
  const first = await server.ask('/log/tile/0/000')
  expect(first.headers.get('cache-control')).toMatch(/private, .*immutable/)
  const again = { headers: { 'if-none-match': first.headers.get('etag')! } }
  expect((await server.ask('/log/tile/0/000', again)).status).toBe(304)
  const checkpoint = await server.ask('/log/checkpoint')
  expect(checkpoint.headers.get('cache-control')).toBe('private, no-cache')
})

test('with FARTHING_LOG_PUBLIC nobody needs a key for the log, and everybody for bills', async () => {
  await grow(open, openOne)
  const anybody = { key: undefined }
  expect((await server.ask('/log/checkpoint', anybody)).status).toBe(401)
  expect((await open.ask('/log/checkpoint', anybody)).status).toBe(200)
  const shown = await open.ask('/log/tile/entries/000.p/1', anybody)
  expect([shown.status, shown.headers.get('cache-control')]).toEqual([
    200,
    'public, max-age=86400, immutable',
  ])
  expect((await open.ask('/v1/log', anybody)).status).toBe(401)
})

/** What the one file says. */
function check(proof: object, earlier?: object) {
  const paths = [proof, ...(earlier ? [earlier] : [])].map((value, at) => {
    const path = join(folder, `${at}.json`)
    writeFileSync(path, JSON.stringify(value))
    return path
  })
  const { stdout, status } = spawnSync(process.execPath, ['proof/verify-bill.mjs', ...paths], {
    encoding: 'utf8',
  })
  return { stdout, status }
}

async function proofOf(
  id: string,
  since = '',
): Promise<{ bill: Record<string, unknown>; proof: Record<string, unknown> }> {
  const [bill, proof] = [
    await server.ask(`/v1/bills/${id}`),
    await server.ask(`/v1/bills/${id}/proof${since}`),
  ]
  expect([bill.status, proof.status]).toEqual([200, 200])
  return { bill: bill.json, proof: proof.json }
}

test('one file proves a bill, with a kept one that the log has grown; what was changed is not proved', async () => {
  const kept = (await server.ask('/v1/log')).json
  await server.send([requestEvent('2', { subject: 'acme', time: HOUR })])
  await server.settle()
  await grow(server)
  const size = Number(kept.checkpoint.split('\n')[1])
  for (const id of [bills[0]!, bills[200]!, (await server.ask('/v1/bills?account=acme')).json.items[0].id]) {
    const file = await proofOf(id, `?since=${size}`)
    const proved = check(file, kept)
    expect(proved).toEqual({
      status: 0,
      stdout: expect.stringMatching(/\nextends +the \d+ entries[^]*\nPROVED/) as string,
    })
  }
  const file = await proofOf(bills[0]!, `?since=${size}`)
  expect(check(file)).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('Nobody vouches for this key') as string,
  })
  const other = await proofOf(bills[1]!)
  const WRONG: readonly (readonly [string, object, object, RegExp])[] = [
    [
      'another total',
      { ...file, bill: { ...file.bill, total: '9' } },
      kept,
      /NOT PROVED: the text of the bill/,
    ],
    ['a line less', { ...file, bill: { ...file.bill, lines: [] } }, kept, /NOT PROVED: the lines/],
    ['the proof of another bill', { ...file, proof: other.proof }, kept, /NOT PROVED: the entry is not/],
    ['another index', { ...file, proof: { ...file.proof, index: 7 } }, kept, /NOT PROVED: the path/],
    [
      'a shorter path',
      { ...file, proof: { ...file.proof, path: (file.proof['path'] as string[]).slice(1) } },
      kept,
      /NOT PROVED: the path/,
    ],
    [
      'a checkpoint of another size',
      {
        ...file,
        proof: { ...file.proof, checkpoint: String(file.proof['checkpoint']).replace(/\n\d+\n/, '\n999\n') },
      },
      kept,
      /NOT PROVED/,
    ],
    [
      'a key of the server alone',
      file,
      { ...kept, keys: ['log.example/served+00000000+AQ=='] },
      /NOT PROVED: no key of the earlier file/,
    ],
    [
      'another history',
      file,
      { ...kept, checkpoint: String(file.proof['checkpoint']).replace(/\n\d+\n/, `\n${size}\n`) },
      /NOT PROVED: your earlier checkpoint is not signed/,
    ],
  ]
  for (const [name, proof, earlier, says] of WRONG)
    expect([name, check(proof, earlier)]).toEqual([
      name,
      { status: 1, stdout: expect.stringMatching(says) as string },
    ])
  const elsewhere = check(file, { ...kept, origin: 'log.example/other', checkpoint: null })
  expect(elsewhere).toMatchObject({ status: 3, stdout: expect.stringContaining('CONTINUED') as string })
})

test('a key of one account gets proofs of its own bills, and of no others', async () => {
  const key = await server.key(['bills:read'], 'account-0')
  const mine = bills.find((id) => id.endsWith('.account-0'))!
  const foreign = bills.find((id) => id.endsWith('.account-1'))!
  expect((await server.ask(`/v1/bills/${mine}/proof`, { key })).status).toBe(200)
  expect((await server.ask(`/v1/bills/${foreign}/proof`, { key })).json.code).toBe('bill/not_found')
  expect(
    (await server.ask(`/v1/bills/${mine}/proof`, { key: await server.key(['usage:read']) })).status,
  ).toBe(403)
})
