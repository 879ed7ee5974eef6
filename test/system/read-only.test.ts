import { afterAll, beforeAll, expect, test } from 'vitest'
import { settlePass } from '../../src/flows/settle/settle.ts'
import { makePool } from '../../src/store/connect.ts'
import { requestEvent, testServer, type TestServer } from './http-server.ts'

// Guarantee: while the database takes no writes that is told by name, to senders, to probes and in the log; reading goes on,
// and everything works again when it does.

let server: TestServer
beforeAll(async () => {
  server = await testServer()
})
afterAll(() => server.close())

/**
 * Each write is refused as a standby refuses it after a failover: with its SQLSTATE and words. Sessions set their own
 * `default_transaction_read_only`, so that of the database does not reach them.
 */
async function setReadOnly(value: 'on' | 'off'): Promise<void> {
  const { pool } = server.database
  await pool.query(`
    create or replace function refuse_write() returns trigger language plpgsql as $$
    begin
      raise exception 'cannot execute % in a read-only transaction', tg_op using errcode = '25006';
    end $$`)
  const change =
    value === 'on'
      ? 'create trigger read_only before insert or update or delete on %I for each statement execute function refuse_write()'
      : 'drop trigger read_only on %I'
  await pool.query(`
    do $$
    declare name text;
    begin
      for name in select relname from pg_class where relkind in ('r', 'p') and not relispartition
                     and relnamespace = current_schema()::regnamespace loop
        execute format('${change}', name);
      end loop;
    end $$`)
}

async function until(is: () => Promise<boolean>): Promise<void> {
  for (
    const from = performance.now();
    !(await is());
    await new Promise((resolve) => setTimeout(resolve, 100))
  )
    if (performance.now() - from > 30_000) throw new Error('never happened')
}

test('read-only: 503 service/read_only, not ready, reading goes on, and it ends by itself', async () => {
  expect((await server.send([requestEvent('before')])).json.accepted).toBe(1)
  await setReadOnly('on')
  await until(async () => (await server.send([requestEvent('meanwhile')])).json.code === 'service/read_only')
  const refused = await server.send([requestEvent('meanwhile')])
  expect([refused.status, refused.json.code]).toEqual([503, 'service/read_only'])
  expect(refused.headers.get('retry-after')).not.toBeNull()
  const ready = await server.ask('/readyz')
  expect([ready.status, ready.json.ready]).toEqual([503, false])
  expect(ready.json.reasons[0]).toMatch(/^The database is read-only: /)
  expect((await server.ask('/metrics')).text).toMatch(/^farthing_writes_failing 1$/m)
  expect((await server.ask('/v1/bills')).status).toBe(200)
  const put = await server.ask('/v1/accounts/acme', { method: 'PUT', body: '{}', type: 'application/json' })
  expect([put.status, put.json.code]).toEqual([503, 'service/read_only'])
  expect(server.logged.map(({ text }) => text).join()).toContain('after a failover, point DATABASE_URL')
  // Settlement says so, too, and sets nothing aside.
  // The hour that lasts is due, so that there is something to write.
  const pass = { graceMs: -3_600_000, backfillQuietMs: 0, identityWindowMs: 3_600_000, stopping: () => false }
  const pool = makePool(server.database.connection, { max: 2 })
  await expect(
    settlePass({ ...pass, pool, onAside: (news) => expect.fail(JSON.stringify(news)) }),
  ).rejects.toMatchObject({ code: '25006' })
  await pool.end()

  await setReadOnly('off')
  await until(async () => (await server.send([requestEvent('meanwhile')])).status === 200)
  await until(async () => (await server.ask('/readyz')).status === 200)
})
