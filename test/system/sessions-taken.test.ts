import { afterAll, beforeAll, expect, test } from 'vitest'
import { testDatabase, type TestDatabase } from '../database.ts'
import { type Answer, requestEvent, testServer, type TestServer } from './http-server.ts'

/** Guarantee: when a process gets no session of the database any more, that is told by name, and it ends by itself. */

const ROLE = `limited_${process.pid}`
let admin: TestDatabase
let server: TestServer
beforeAll(async () => {
  admin = await testDatabase()
  // It owns what its server owns, and is no superuser: their sessions are not counted.
  await admin.pool.query(`create role ${ROLE} login; grant ${admin.connection.user} to ${ROLE}`)
  server = await testServer({ through: (connection) => ({ ...connection, user: ROLE }) })
})
afterAll(async () => {
  await server.close()
  await admin.pool.query(`drop role ${ROLE}`)
  await admin.drop()
})

const allow = (sessions: number) => admin.pool.query(`alter role ${ROLE} connection limit ${sessions}`)

async function endSessions(): Promise<void> {
  await admin.pool.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [ROLE])
}

/** What has to be read, written, and judged, each by another way to the database. */
const ASKED: Readonly<Record<string, () => Promise<Answer>>> = {
  'a question': () => server.ask('/v1/bills'),
  'an event': () => server.send(requestEvent('while')),
  'a batch': () => server.send([requestEvent('while'), requestEvent('while too')]),
  'a dry run': () => server.send(requestEvent('while'), {}, '?dryRun=true'),
  'an account': () => server.ask('/v1/accounts/new', { method: 'PUT', type: 'application/json', body: '{}' }),
}

test('sessions that are open go on; what needs another is 503 with Retry-After, until there is one', async () => {
  expect((await server.send(requestEvent('before'))).json.accepted).toBe(1)
  const stranger = await server.key(['bills:read'])
  await allow(0)
  expect((await server.send(requestEvent('on an open session'))).json.accepted).toBe(1)
  await endSessions()
  for (const [what, ask] of Object.entries({
    ...ASKED,
    'a key that is not remembered': () => server.ask('/v1/bills', { key: stranger }),
  })) {
    const { status, headers, json } = await ask()
    expect([what, status, json.code]).toEqual([what, 503, 'service/too_many_sessions'])
    expect([what, Number(headers.get('retry-after')) > 0]).toEqual([what, true])
  }
  expect((await server.ask('/healthz')).status).toBe(200)
  const ready = await server.ask('/readyz')
  expect([ready.status, ready.json.ready]).toEqual([503, false])
  const texts = server.logged.map(({ text }) => text)
  expect(texts.join()).toContain('raise max_connections, or lower FARTHING_SESSIONS')
  expect(texts.filter((text) => text.includes('bug'))).toEqual([])

  await allow(-1)
  for (const [what, ask] of Object.entries(ASKED))
    expect([what, (await ask()).status < 300]).toEqual([what, true])
  expect((await server.ask('/v1/bills', { key: stranger })).status).toBe(200)
  // Those that were refused were not stored, and are stored once.
  const { rows } = await server.database.pool.query('select id from usage_event order by id')
  expect(rows.map(({ id }) => id)).toEqual(['before', 'on an open session', 'while', 'while too'])
})
