import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { type Log, openDatabase, refuseFacts } from '../../src/store/connect.ts'
import { findBinaries } from '../../src/store/embedded/binaries.ts'
import { bringUp } from '../../src/store/embedded/bring-up.ts'
import { type Connection, socketConnection } from '../../src/store/embedded/connection.ts'
import { findPlace } from '../../src/store/embedded/place.ts'
import { answers, launch, stopPostmaster } from '../../src/store/embedded/postmaster.ts'
import { settings } from '../../src/store/embedded/settings.ts'
import { scratch, sql } from './embedded-child.ts'

const quiet: Log = { info() {}, warn() {}, error() {} }

function open(databaseUrl: string) {
  return openDatabase({ databaseUrl, dataDir: '/nowhere', log: quiet })
}

/** The address of a database on a Unix socket, whose directory stands where a host name would. */
function urlOf({ host, port, user, database }: Connection): string {
  return `postgres://${user}:secret@${encodeURIComponent(host)}:${port}/${database}`
}

test('a database of its own is used as it is, and is not stopped', async () => {
  const opened = await open(urlOf(inject('database')))
  if (!opened.ok) throw new Error(opened.detail)
  const { connection, joined, serverPid } = opened.database
  expect({ joined, serverPid }).toEqual({ joined: true, serverPid: undefined })
  expect(connection).toEqual({ ...inject('database'), password: 'secret' })
  await opened.database.stop()
  expect(await sql(connection, 'select 1 as one')).toEqual([{ one: 1 }])
})

test('options in the address are kept', async () => {
  const opened = await open(`${urlOf(inject('database'))}?options=-c%20work_mem%3D7MB`)
  if (!opened.ok) throw new Error(opened.detail)
  expect(await sql(opened.database.connection, 'show work_mem')).toEqual([{ work_mem: '7MB' }])
})

test('an address that is none, a server that does not answer, and one that refuses the login', async () => {
  for (const address of ['nonsense', 'mysql://u:secret@host/db', 'postgres://u:secret@host:port/db']) {
    expect(await open(address)).toMatchObject({ ok: false, code: 'database/url' })
  }
  const unreachable = await open('postgres://u:secret@127.0.0.1:1/db')
  expect(unreachable).toMatchObject({ code: 'database/unreachable' })
  expect(unreachable).toMatchObject({ detail: expect.stringContaining('127.0.0.1:1 ') })
  const missing = await open(urlOf({ ...inject('database'), database: 'no_such_database' }))
  expect(missing).toMatchObject({ code: 'database/login' })
  for (const refused of [unreachable, missing]) {
    expect(refused).toMatchObject({ detail: expect.not.stringContaining('secret') })
    expect(refused).toMatchObject({ detail: expect.not.stringContaining('\n') })
  }
})

test('a database with another encoding', async () => {
  const server = inject('database')
  const create = `create database latin encoding 'LATIN1' locale 'C' locale_provider libc template template0`
  await sql(server, create)
  const refused = await open(urlOf({ ...server, database: 'latin' }))
  await sql(server, 'drop database latin')
  expect(refused).toMatchObject({ code: 'database/encoding', detail: expect.stringContaining('LATIN1') })
})

test('a version that is too old; 15 is not', () => {
  const facts = { version: 150_000, fsync: 'on', recovering: false, encoding: 'UTF8' }
  expect(refuseFacts(facts, 'It')).toBeUndefined()
  expect(refuseFacts({ ...facts, version: 140_015 }, 'It')).toMatchObject({
    code: 'database/too_old',
    detail: 'It is PostgreSQL 14: Farthing needs 15 or newer.',
  })
})

/** A server with settings that the embedded one never has. */
let base: string
let launchWith: (extra: Record<string, string>) => Promise<Connection>
let stop: () => Promise<void>
beforeAll(async () => {
  base = scratch()
  const at = findPlace(join(base, 'data'), base)
  if (!at.ok) throw new Error(at.detail)
  const found = findBinaries(at.place, base)
  if (!found.ok) throw new Error(found.detail)
  const { place } = at
  stop = () => stopPostmaster(place.pgdata)
  const made = await bringUp(place, found.binaries, quiet)
  if (!made.ok) throw new Error(made.detail)
  await stop()
  launchWith = async (extra) => {
    const connection = socketConnection(join(place.home, 'socket'))
    const { logs, pgdata } = place
    const surroundings = { socketDir: connection.host, logs, pgdata, memory: 2 ** 30 }
    const pid = launch(place, found.binaries, { ...settings(surroundings), ...extra })
    if (pid === undefined || !(await answers(place, connection, pid, () => {}))) throw new Error('not up')
    return connection
  }
})
afterAll(async () => {
  await stop()
  rmSync(base, { recursive: true, force: true })
})

test('a server that does not write to disk, and one that is a standby', async () => {
  const careless = await open(urlOf(await launchWith({ fsync: 'off' })))
  expect(careless).toMatchObject({ code: 'database/fsync_off' })
  await stop()
  writeFileSync(join(base, 'data/postgres/standby.signal'), '')
  const standby = await open(urlOf(await launchWith({})))
  expect(standby).toMatchObject({ code: 'database/in_recovery' })
})
