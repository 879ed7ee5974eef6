import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'
import { type Connection, makePool } from '../src/store/connect.ts'
import { migrate } from '../src/store/migrate.ts'

export interface TestDatabase {
  readonly name: string
  readonly connection: Connection
  readonly pool: pg.Pool
  /** Ends the pool and every other session, and removes the database. */
  readonly drop: () => Promise<void>
}

/** As DATABASE_URL names it to a process of its own. */
export function databaseUrl({ host, port, user, database }: Connection): string {
  return `postgres://${user}@localhost/${database}?host=${encodeURIComponent(host)}&port=${port}`
}

const TEMPLATE = 'farthing_template'
const UNFINISHED = 'farthing_template_unfinished'
/** Any number that nothing else locks: the databases of one server share their advisory locks by database. */
const TEMPLATE_LOCK = 7_400_001

/** A fresh, migrated database on the run's server: one per test file, made from a template. */
export async function testDatabase(): Promise<TestDatabase> {
  const maintenance: Connection = { ...inject('database'), database: 'postgres' }
  const name = `test_${randomBytes(6).toString('hex')}`
  await withClient(maintenance, async (client) => {
    await makeTemplate(client, maintenance)
    await client.query(`create database ${name} template ${TEMPLATE}`)
  })
  const connection = { ...maintenance, database: name }
  const pool = makePool(connection, { max: 10, applicationName: 'farthing-test' })
  return {
    name,
    connection,
    pool,
    async drop() {
      await pool.end()
      await withClient(maintenance, (client) => client.query(`drop database if exists ${name} with (force)`))
    },
  }
}

/**
 * Once per run: the workers queue at the lock, and all but the first find the template made. It gets its name only
 * when it is complete.
 */
async function makeTemplate(client: pg.Client, maintenance: Connection): Promise<void> {
  await client.query('select pg_advisory_lock($1)', [TEMPLATE_LOCK])
  const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [TEMPLATE])
  if (rowCount === 0) {
    await client.query(`drop database if exists ${UNFINISHED} with (force)`)
    await client.query(`create database ${UNFINISHED}`)
    const migrated = await migrate({ ...maintenance, database: UNFINISHED })
    if (!migrated.ok) throw new Error(migrated.detail)
    await client.query(`alter database ${UNFINISHED} rename to ${TEMPLATE}`)
  }
  await client.query('select pg_advisory_unlock($1)', [TEMPLATE_LOCK])
}

async function withClient<T>(connection: Connection, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(connection)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
