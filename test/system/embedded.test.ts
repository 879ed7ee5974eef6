import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { orphans } from '../../src/store/embedded/postmaster-file.ts'
import { startOf } from '../../src/store/embedded/process-identity.ts'
import { type Child, compile, launch, run as runProgram, scratch, sql } from './embedded-child.ts'

let compiled: ReturnType<typeof compile>
let template: string
let base: string
let dataDir: string
let children: Child[]
beforeAll(async () => {
  compiled = compile()
  template = scratch()
  const child = await runProgram(compiled.program, { dataDir: template })
  await child.stop()
})
afterAll(() => {
  compiled.remove()
  rmSync(template, { recursive: true, force: true })
})
beforeEach(() => {
  base = scratch()
  dataDir = join(base, 'data')
  children = []
})
afterEach(async () => {
  for (const child of children) await child.stop()
  // Guarantee, after every test: the last process has left nothing running.
  const left = orphans(join(dataDir, 'postgres'))
  for (const pid of left) process.kill(pid, 'SIGKILL')
  rmSync(base, { recursive: true, force: true })
  if (left.length > 0) throw new Error(`still running: ${left.join()}`)
})

/** Saves the second that making a database takes. What root copies is root's, until the server needs it. */
function makeData(dir = dataDir): void {
  cpSync(join(template, 'postgres'), join(dir, 'postgres'), { recursive: true })
}

async function run(dir = dataDir): Promise<Child> {
  const child = await runProgram(compiled.program, { dataDir: dir })
  children.push(child)
  if (!child.ok) throw new Error(`${child.code}: ${child.detail}`)
  return child
}

async function remember({ connection }: Child, word: string): Promise<void> {
  await sql(connection, `create table if not exists word (word text)`)
  await sql(connection, `insert into word values ('${word}')`)
}

async function words({ connection }: Child): Promise<unknown[]> {
  return (await sql(connection, 'select word from word order by word')).map((row) => row.word)
}

test('a restart keeps the data, and only the server itself can enter its directories', async () => {
  const first = await run()
  await remember(first, 'kept')
  expect(first.joined).toBe(false)
  const modes = ['postgres', 'socket', 'log'].map((name) => statSync(join(dataDir, name)).mode & 0o777)
  expect(modes).toEqual([0o700, 0o700, 0o700])
  await first.stop()
  expect(startOf(first.serverPid)).toBeUndefined()
  for (let day = 1; day < 9; day += 1) {
    const path = join(dataDir, `log/postgresql-2020010${day}-000000.log`)
    writeFileSync(path, '')
    utimesSync(path, new Date('2020-01-09'), new Date('2020-01-09'))
  }
  const second = await run()
  expect(await words(second)).toEqual(['kept'])
  const logs = readdirSync(join(dataDir, 'log'))
  expect(logs.length).toBeGreaterThan(0)
  expect(logs.filter((name) => name.includes('-2020'))).toEqual([])
  expect(second.serverPid).not.toBe(first.serverPid)
})

test('the server listens on its socket only, keeps checksums, has a log in small files, and sorts by code point', async () => {
  // A name that has to be quoted on the way to the server.
  dataDir = join(base, 'a "b", ä \'c\'')
  makeData()
  const { connection } = await run()
  const names = [
    'listen_addresses',
    'fsync',
    'data_checksums',
    'jit',
    'server_encoding',
    'timezone',
    'wal_segment_size',
  ]
  const columns = names.map((name) => `current_setting('${name}') as ${name}`).join()
  const [row] = await sql(connection, `select ${columns}`)
  expect(row).toEqual({
    listen_addresses: '',
    fsync: 'on',
    data_checksums: 'on',
    jit: 'off',
    server_encoding: 'UTF8',
    timezone: 'UTC',
    wal_segment_size: '4MB',
  })
  const sorted = await sql(
    connection,
    `select string_agg(x, '' order by x) as x from unnest('{a,B,ä,_}'::text[]) x`,
  )
  expect(sorted).toEqual([{ x: 'B_aä' }])
})

test('a second process shares the server, and the last one to leave stops it', async () => {
  makeData()
  const first = await run()
  const second = await run()
  expect([first.joined, second.joined]).toEqual([false, true])
  expect(second.serverPid).toBe(first.serverPid)
  await first.stop()
  await remember(second, 'still here')
  expect(startOf(first.serverPid)).toBeDefined()
  await second.stop()
  expect(startOf(first.serverPid)).toBeUndefined()
})

test('three processes that start at once on an empty directory all work, on one server', async () => {
  const all = await Promise.all([run(), run(), run()])
  expect(new Set(all.map(({ serverPid }) => serverPid)).size).toBe(1)
  expect(all.filter(({ joined }) => !joined)).toHaveLength(1)
  await remember(all[0], 'shared')
  for (const child of all) expect(await words(child)).toEqual(['shared'])
  await Promise.all(all.map((child) => child.stop()))
})

test('after a kill of the process the server lives on, and the next process takes it over', async () => {
  makeData()
  const killed = await run()
  await remember(killed, 'kept')
  await killed.kill()
  expect(startOf(killed.serverPid)).toBeDefined()
  const next = await run()
  expect([next.joined, next.serverPid]).toEqual([false, killed.serverPid])
  expect(await words(next)).toEqual(['kept'])
  await next.stop()
  expect(startOf(killed.serverPid)).toBeUndefined()
})

test('Ctrl-C reaches the process and not the server, which is left to be stopped in good order', async () => {
  makeData()
  const interrupted = await run()
  const exit = once(interrupted.process, 'exit')
  process.kill(-interrupted.process.pid!, 'SIGINT')
  await exit
  expect((await run()).serverPid).toBe(interrupted.serverPid)
})

test('after a kill of the server, with a statement still running, the next start has the data', async () => {
  makeData()
  const killed = await run()
  await remember(killed, 'kept')
  // This one never looks whether its postmaster lives, so it has to be ended.
  const busy = sql(killed.connection, 'select count(*) from generate_series(1, 1e11::bigint)').catch(
    () => 'broken',
  )
  await sleep(200)
  await killed.kill()
  process.kill(killed.serverPid, 'SIGKILL')
  const next = await run()
  expect(await busy).toBe('broken')
  expect(next.serverPid).not.toBe(killed.serverPid)
  expect(await words(next)).toEqual(['kept'])
})

test('a server that is killed under a living process is started again for it', async () => {
  makeData()
  const child = await run()
  await remember(child, 'kept')
  process.kill(child.serverPid, 'SIGKILL')
  const deadline = Date.now() + 60_000
  let found: unknown[] | undefined
  while (!found && Date.now() < deadline) {
    found = startOf(child.serverPid) === undefined ? await words(child).catch(() => undefined) : undefined
    await sleep(50)
  }
  expect(found).toEqual(['kept'])
})

test('a server whose socket has been removed, as a cleaner of temporary files may do, is started again', async () => {
  makeData()
  const killed = await run()
  await remember(killed, 'kept')
  await killed.kill()
  rmSync(join(dataDir, 'socket/.s.PGSQL.5432'))
  const next = await run()
  expect(next.serverPid).not.toBe(killed.serverPid)
  expect(await words(next)).toEqual(['kept'])
})

test('a pid file whose number is another living program by now does not stop a start', async () => {
  makeData()
  const first = await run()
  await remember(first, 'kept')
  await first.stop()
  // A program of the server's own user: PostgreSQL itself sees through any other.
  const { uid, gid } = statSync(join(dataDir, 'postgres'))
  const other = spawn('sleep', ['60'], process.geteuid?.() === 0 ? { uid, gid } : {})
  await once(other, 'spawn')
  writeFileSync(join(dataDir, 'postgres/postmaster.pid'), `${other.pid}\n${join(dataDir, 'postgres')}\n`)
  writeFileSync(join(dataDir, 'socket/.s.PGSQL.5432.lock'), `${other.pid}\n`)
  expect(await words(await run())).toEqual(['kept'])
  other.kill()
})

test('the record of a dead process does not count, though another program has its number by now', async () => {
  makeData()
  mkdirSync(join(dataDir, 'processes'))
  writeFileSync(join(dataDir, `processes/${process.pid}-1.00000000-0000`), '')
  const child = await run()
  expect(child.joined).toBe(false)
  await child.stop()
  expect(startOf(child.serverPid)).toBeUndefined()
})

test('whatever is killed while the database is made, the next start makes it', async () => {
  for (const reached of ['', 'base/1/PG_VERSION', 'global/pg_control']) {
    const child = launch(compiled.program, { dataDir })
    await until(() => databases().some((name) => existsSync(join(dataDir, name, reached))))
    // With all that it has started, as in a power cut.
    process.kill(-child.pid!, 'SIGKILL')
    await once(child, 'exit')
    expect(databases()).toHaveLength(1)
    expect(databases()).not.toContain('postgres')
  }
  // This time `initdb` lives on, and goes on writing.
  const child = launch(compiled.program, { dataDir })
  await until(() => databases().some((name) => existsSync(join(dataDir, name, 'base'))))
  child.kill('SIGKILL')
  await once(child, 'exit')
  await remember(await run(), 'works')
})

function databases(): string[] {
  return existsSync(dataDir) ? readdirSync(dataDir).filter((name) => name.startsWith('postgres')) : []
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(2)
}

test('a data directory with a path too long for a socket has it elsewhere, and finds it again', async () => {
  const long = join(base, 'x'.repeat(120))
  makeData(long)
  const first = await run(long)
  expect(first.connection.host.length).toBeLessThan(90)
  expect(statSync(first.connection.host).mode & 0o777).toBe(0o700)
  const second = await run(long)
  expect(second.connection).toEqual(first.connection)
  await first.stop()
  await second.stop()
  rmSync(first.connection.host, { recursive: true })
  const third = await run(long)
  expect(third.connection).toEqual(first.connection)
  await third.stop()
  rmSync(first.connection.host, { recursive: true })
  expect(existsSync(join(long, 'socket'))).toBe(false)
})
