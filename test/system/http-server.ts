import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Instant } from '../../src/core/time/instant.ts'
import { makeKeyRing } from '../../src/flows/find-key.ts'
import { firstStart } from '../../src/flows/first-start.ts'
import type { Ingest } from '../../src/flows/ingest-types.ts'
import type { Scope } from '../../src/flows/key-scopes.ts'
import { makeKey } from '../../src/flows/make-key.ts'
import { makeServer } from '../../src/http/server.ts'
import type { Log } from '../../src/store/connect.ts'
import { makeReadingPool } from '../../src/store/reading-pool.ts'
import { testDatabase, type TestDatabase } from '../database.ts'

export interface TestServer {
  readonly database: TestDatabase
  readonly server: FastifyInstance
  readonly url: string
  readonly adminKey: string
  /** What was logged as a warning or an error. */
  readonly logged: { readonly level: string; readonly fields: object; readonly text: string }[]
  /** A request with a key (the admin's unless told), answered as status, headers and parsed JSON. */
  ask(path: string, init?: RequestInit & { key?: string | undefined }): Promise<Answer>
  /** A new key. */
  key(scopes: readonly Scope[], account?: string): Promise<string>
  close(): Promise<void>
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
  readonly json: any
}

/** The HTTP server on a database and a port of its own. */
export async function testServer(
  makeIngest: (database: TestDatabase, log: Log) => Promise<Ingest> | Ingest,
): Promise<TestServer> {
  const database = await testDatabase()
  const dataDir = mkdtempSync(join(tmpdir(), 'farthing-http-'))
  const logged: TestServer['logged'] = []
  const note = (level: string) => (fields: object, text: string) => void logged.push({ level, fields, text })
  const log: Log = { info() {}, warn: note('warn'), error: note('error') }
  const started = await firstStart({ pool: database.pool, dataDir, priceBook: undefined, log })
  if (!started.ok || started.adminKey === undefined) throw new Error('the first start was refused')
  const { adminKey } = started
  const reading = makeReadingPool(database.connection, { max: 5, log })
  const ingest = await makeIngest(database, log)
  const keys = makeKeyRing(reading)
  const now = () => Date.now() as Instant
  const server = await makeServer({
    reading,
    writing: database.pool,
    keys,
    ingest,
    log,
    now,
    graceMs: 600_000,
  })
  const url = await server.listen({ port: 0, host: '127.0.0.1' })
  return {
    database,
    server,
    url,
    adminKey,
    logged,
    ask: (path, init) => ask(url + path, { key: adminKey, ...init }),
    async key(scopes, account) {
      const request = { name: 'test', scopes, account: account ?? null, expiresAt: null }
      const made = await makeKey(database.pool, request, now())
      if (!made.ok) throw new Error(made.detail)
      return made.key
    },
    async close() {
      await server.close()
      await ingest.close()
      await reading.end()
      await database.drop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

async function ask(
  url: string,
  { key, ...init }: RequestInit & { key?: string | undefined },
): Promise<Answer> {
  const headers = new Headers(init.headers)
  if (key !== undefined) headers.set('authorization', `Bearer ${key}`)
  const response = await fetch(url, { ...init, headers })
  const text = await response.text()
  const isJson = /json/.test(response.headers.get('content-type') ?? '')
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson ? JSON.parse(text) : undefined,
  }
}
