import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Hour } from '../../src/core/time/hour.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import { makeKeyRing } from '../../src/flows/keys/find-key.ts'
import { firstStart } from '../../src/flows/start/first-start.ts'
import type { TakenAccounts } from '../../src/flows/accounts/account-rules.ts'
import { createIngest } from '../../src/flows/ingest/ingest.ts'
import { createTrial } from '../../src/flows/ingest/dry-run.ts'
import type { Ingest } from '../../src/flows/ingest/ingest-types.ts'
import type { Scope } from '../../src/flows/keys/key-scopes.ts'
import { makeKey } from '../../src/flows/keys/make-key.ts'
import { settlePass, type SettlePass } from '../../src/flows/settle/settle.ts'
import type { LargeDeliveries } from '../../src/http/body/delivery-types.ts'
import { type FairShares, makeGates } from '../../src/http/limits/gates.ts'
import { makeServer, type Patience } from '../../src/http/server.ts'
import { type Connection, type Log, makePool } from '../../src/store/connect.ts'
import { makeProbePool, makeReadingPool } from '../../src/store/reading-pool.ts'
import { testDatabase, type TestDatabase } from '../database.ts'

export interface TestServer {
  readonly database: TestDatabase
  readonly server: FastifyInstance
  readonly url: string
  readonly adminKey: string
  /** What was logged as a warning or an error. */
  readonly logged: { readonly level: string; readonly fields: object; readonly text: string }[]
  /** A request with a key (the admin's unless told), answered as status, headers and parsed JSON. */
  ask(path: string, init?: Asking): Promise<Answer>
  /** POST /v1/events with a JSON value, or a body of another type. */
  send(body: unknown, init?: Asking, query?: string): Promise<Answer>
  /** A new key. */
  key(scopes: readonly Scope[], account?: string | null): Promise<string>
  /** Seal and settle all that is due, history without its quiet time. */
  settle(pass?: Partial<SettlePass>): Promise<number>
  close(): Promise<void>
}

export interface Asking extends RequestInit {
  /** None for undefined. */
  readonly key?: string | undefined
  readonly type?: string
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
  readonly json: any
}

export interface ServerOptions {
  /** Live hours begin here; undefined: at the current one. */
  readonly firstHour?: Hour
  /** The path of its price book; undefined: the demo. */
  readonly priceBook?: string
  /** Whose usage is taken; undefined: anybody's. */
  readonly taken?: TakenAccounts
  /** How far back new usage may be; undefined: as far as it likes, so that tests can name their dates. */
  readonly backfillReachMs?: number
  /** Series that an account may store data in; undefined: as many as it likes. */
  readonly seriesMax?: number
  /** In place of the real one. */
  readonly ingest?: Ingest
  /** Takes large deliveries beside the server; undefined: nobody does. */
  readonly large?: (database: TestDatabase, log: Log) => LargeDeliveries
  readonly patience?: Patience
  /** How much one key and one address may have; undefined: more than a test asks for. */
  readonly shares?: Partial<FairShares>
  /** For questions. */
  readonly readingSessions?: number
  /** When sealing is due, for readiness: that of `settle` is its own. */
  readonly graceMs?: number
  /** Is the transparency log served to anybody? */
  readonly isLogPublic?: boolean
  /** The only hosts that it answers to; undefined: any. */
  readonly hosts?: readonly string[]
  /** How the server reaches its database; undefined: directly. */
  readonly through?: (connection: Connection) => Connection
}

/** The HTTP server on a database and a port of its own. */
export async function testServer(options: ServerOptions = {}): Promise<TestServer> {
  const { large, patience, through, hosts, backfillReachMs, seriesMax } = options
  const { graceMs = 600_000, readingSessions = 5, taken = 'any' } = options
  const database = await testDatabase()
  const { pool } = database
  const connection = through?.(database.connection) ?? database.connection
  const { logged, log } = noteLog()
  const { adminKey, dataDir } = await makeDeployment(database, options)
  const reading = makeReadingPool(connection, { max: readingSessions, applicationName: 'farthing-read', log })
  const probes = makeProbePool(connection, { max: 3, log })
  const writing = makePool(connection, { max: 10, log })
  const limits = { backfillReachMs, seriesMax }
  const ingest = options.ingest ?? (await createIngest({ pool: writing, log, taken, ...limits }))
  const keys = makeKeyRing(probes)
  const gates = makeGates({ ...AMPLE, ...options.shares }, readingSessions)
  const trial = createTrial({ pool: reading, ...limits })
  const parts = { reading, writing, probes, keys, gates, ingest, trial }
  const plain = { ...parts, log, now: clock, graceMs, hosts, isLogPublic: options.isLogPublic === true }
  const context = large ? { ...plain, large: large(database, log) } : plain
  const server = await makeServer(context, patience)
  const url = await server.listen({ port: 0, host: '127.0.0.1' })
  return {
    database,
    server,
    url,
    adminKey,
    logged,
    ask: (path, init) => ask(url + path, { key: adminKey, ...init }),
    send: (body, init, query = '') =>
      ask(`${url}/v1/events${query}`, { key: adminKey, ...sending(body, init) }),
    async key(scopes, account = null) {
      const made = await makeKey(pool, { name: 'test', scopes, account, expiresAt: null }, clock())
      if (!made.ok) throw new Error(made.detail)
      return made.key
    },
    settle: (pass) => settlePass({ pool, ...PASS, ...pass }),
    async close() {
      await server.close()
      await ingest.close()
      await Promise.all([reading.end(), writing.end(), probes.end()])
      await database.drop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

const AMPLE: FairShares = {
  questionsMax: 5,
  dryRunsMax: 5,
  questionsPerSecond: 10_000,
  connectionsMax: 10_000,
  failedKeysPerMinute: 10_000,
  trustedProxies: [],
}

const PASS = {
  graceMs: 600_000,
  backfillQuietMs: 0,
  identityWindowMs: 62 * 86_400_000,
  stopping: () => false,
}

function clock(): Instant {
  return Date.now() as Instant
}

function noteLog(): { readonly log: Log; readonly logged: TestServer['logged'] } {
  const logged: TestServer['logged'] = []
  const note = (level: string) => (fields: object, text: string) => void logged.push({ level, fields, text })
  return { logged, log: { info() {}, warn: note('warn'), error: note('error') } }
}

async function makeDeployment({ pool }: TestDatabase, { firstHour, priceBook }: ServerOptions) {
  const dataDir = mkdtempSync(join(tmpdir(), 'farthing-http-'))
  const { log } = noteLog()
  const started = await firstStart({ pool, dataDir, priceBook, log, firstHour })
  if (!started.ok || started.adminKey === undefined) throw new Error('the first start was refused')
  return { adminKey: started.adminKey, dataDir }
}

function sending(body: unknown, init: Asking = {}): Asking {
  const content = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
  const headers = { 'content-type': init.type ?? 'application/json', ...(init.headers as object) }
  return { ...init, method: 'POST', headers, body: content as NonNullable<RequestInit['body']> }
}

async function ask(url: string, { key, type, ...init }: Asking): Promise<Answer> {
  const headers = new Headers(init.headers)
  if (key !== undefined) headers.set('authorization', `Bearer ${key}`)
  if (type !== undefined) headers.set('content-type', type)
  const response = await fetch(url, { ...init, headers })
  const text = await response.text()
  const isJson = /(?<!nd)json/.test(response.headers.get('content-type') ?? '')
  return {
    status: response.status,
    headers: response.headers,
    text,
    // A HEAD has the type of a body, and none.
    json: isJson && text !== '' ? JSON.parse(text) : undefined,
  }
}

/** A request event, as a client sends it. */
export function requestEvent(
  id: string,
  more: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return {
    specversion: '1.0',
    id,
    source: 'test',
    type: 'farthing.request',
    subject: 'acme',
    time: new Date().toISOString(),
    data: { operation: 'SimpleQuery', status: 200 },
    ...more,
  }
}
