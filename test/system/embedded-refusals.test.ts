import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Log } from '../../src/store/connect.ts'
import { findBinaries } from '../../src/store/embedded/binaries.ts'
import { findPlace } from '../../src/store/embedded/place.ts'
import { refuseSystemError } from '../../src/store/embedded/refusal.ts'
import { startEmbedded, type Started } from '../../src/store/embedded/start.ts'
import { compile, run, scratch } from './embedded-child.ts'

const quiet: Log = { info() {}, warn() {}, error() {} }

let compiled: ReturnType<typeof compile>
let template: string
let base: string
let dataDir: string
beforeAll(async () => {
  compiled = compile()
  template = scratch()
  const started = await start(template)
  if (!started.ok) throw new Error(started.detail)
  await started.database.stop()
})
afterAll(() => {
  compiled.remove()
  rmSync(template, { recursive: true, force: true })
})
beforeEach(() => {
  base = scratch()
  dataDir = join(base, 'data')
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

function start(dir = dataDir): Promise<Started> {
  return startEmbedded({ dataDir: dir, log: quiet, sharedDir: join(dir, 'shared') })
}

function makeData(): void {
  cpSync(join(template, 'postgres'), join(dataDir, 'postgres'), { recursive: true })
}

/** Every refusal is one line that ends in advice. */
async function refusal(starting: Promise<Started>): Promise<{ code: string; detail: string }> {
  const started = await starting
  if (started.ok) throw new Error('it started')
  expect(started.detail).not.toMatch(/\n/)
  return started
}

test('a data directory that is a file, or below a file, or cannot be made', async () => {
  writeFileSync(join(base, 'file'), '')
  for (const dir of [join(base, 'file'), join(base, 'file/data'), '/proc/farthing']) {
    const { code, detail } = await refusal(start(dir))
    expect(code).toBe('server/data_dir')
    expect(detail).toContain(`${dir} cannot be used`)
    expect(detail).toContain('set FARTHING_DATA_DIR')
  }
})

const LINKS = ['turns', 'processes', 'server-start.log', 'postgres/PG_VERSION', 'postgres/postmaster.pid']
for (const name of LINKS) {
  test(`a link in the place of ${name} is refused, and not followed`, async () => {
    makeData()
    const elsewhere = join(base, 'elsewhere')
    if (name.includes('.') || name.includes('_')) writeFileSync(elsewhere, 'mine')
    else mkdirSync(elsewhere)
    rmSync(join(dataDir, name), { recursive: true, force: true })
    symlinkSync(elsewhere, join(dataDir, name))
    const { code, detail } = await refusal(start())
    expect(code).toBe('server/data_dir')
    expect(detail).toContain('ELOOP')
    expect(detail).toContain(name)
    if (statSync(elsewhere).isDirectory()) expect(readdirSync(elsewhere)).toEqual([])
    else expect(readFileSync(elsewhere, 'utf8')).toBe('mine')
  })
}

test('data of another major version: says which, and the way over', async () => {
  makeData()
  writeFileSync(join(dataDir, 'postgres/PG_VERSION'), '17\n')
  const { code, detail } = await refusal(start())
  expect(code).toBe('server/other_major')
  expect(detail).toMatch(/PostgreSQL 17, this Farthing has 18.*the version of Farthing that made it/)
})

test('a directory that holds something else than PostgreSQL data is left alone', async () => {
  mkdirSync(join(dataDir, 'postgres'), { recursive: true })
  writeFileSync(join(dataDir, 'postgres/letter.txt'), 'mine')
  expect((await refusal(start())).code).toBe('server/data_dir')
  expect(readFileSync(join(dataDir, 'postgres/letter.txt'), 'utf8')).toBe('mine')
})

test('a platform without binaries, and a platform whose package is not installed', () => {
  const at = findPlace(dataDir, join(base, 'shared'))
  if (!at.ok) throw new Error(at.detail)
  const windows = findBinaries(at.place, join(base, 'shared'), 'win32-x64')
  expect(windows).toMatchObject({
    code: 'server/platform',
    detail: expect.stringMatching(/set DATABASE_URL/),
  })
  const missing = findBinaries(at.place, join(base, 'shared'), 'linux-ppc64')
  expect(missing).toMatchObject({ code: 'server/no_binaries', detail: expect.stringMatching(/npm ci/) })
})

test('a server that does not come up: its last words, and where the rest is', async () => {
  makeData()
  writeFileSync(join(dataDir, 'postgres/postgresql.conf'), 'no_such_setting = 1\n')
  const { code, detail } = await refusal(start())
  expect(code).toBe('server/did_not_start')
  expect(detail).toMatch(/did not start \(FATAL: .*postgresql\.conf/)
  expect(detail).toContain(join(dataDir, 'server-start.log'))
})

test('a damaged database: its last words are those of this start', async () => {
  makeData()
  rmSync(join(dataDir, 'postgres/global/pg_control'))
  const { code, detail } = await refusal(start())
  expect(code).toBe('server/did_not_start')
  expect(detail).toContain('pg_control')
})

test('a path too long for a socket, when the short one is taken by somebody else', async () => {
  const long = join(base, 'x'.repeat(120))
  const name = `farthing-${createHash('sha256').update(long).digest('hex').slice(0, 12)}`
  const short = [...new Set([tmpdir(), '/tmp'])].map((parent) => join(parent, name))
  for (const path of short) writeFileSync(path, '')
  const { code, detail } = await refusal(start(long))
  for (const path of short) rmSync(path)
  expect(code).toBe('server/socket_path')
  expect(detail).toContain('shorter path')
})

test('a server that runs where its processes cannot be seen, as in another container', async () => {
  makeData()
  const started = await start()
  if (!started.ok) throw new Error(started.detail)
  const [pidFile, hidden] = [join(dataDir, 'postgres/postmaster.pid'), join(base, 'hidden')]
  renameSync(pidFile, hidden)
  const other = await run(compiled.program, { dataDir })
  renameSync(hidden, pidFile)
  await other.stop()
  await started.database.stop()
  expect(other.code).toBe('server/elsewhere')
})

test('a full disk is called a full disk', () => {
  const error = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  expect(refuseSystemError(error, '/data')).toMatchObject({ code: 'server/disk_full' })
  expect(() => refuseSystemError(new TypeError('a bug'), '/data')).toThrow('a bug')
})

test.runIf(canMount())('a disk that is really full: refused, and fine once there is room', async () => {
  const small = join(base, 'small')
  mkdirSync(small)
  mount('-t', 'tmpfs', '-o', 'size=24m,mode=755', 'none', small)
  try {
    expect((await refusal(start(join(small, 'data')))).code).toBe('server/disk_full')
    mount('-o', 'remount,size=200m', small)
    const started = await start(join(small, 'data'))
    expect(started.ok).toBe(true)
    if (started.ok) await started.database.stop()
  } finally {
    spawnSync('umount', [small])
  }
})

function mount(...args: string[]): void {
  const { status, stderr } = spawnSync('mount', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
}

/** Only root can, and not in every container. */
function canMount(): boolean {
  const probe = scratch()
  const can = spawnSync('mount', ['-t', 'tmpfs', 'none', probe]).status === 0
  if (can) spawnSync('umount', [probe])
  rmSync(probe, { recursive: true })
  return can
}
