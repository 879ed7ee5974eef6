import { existsSync } from 'node:fs'
import { lookup } from 'node:dns/promises'
import { createServer } from 'node:net'
import type { Settings } from './config.ts'
import { canonicalHost, isLoopback } from './core/text/host-name.ts'
import { createIngest } from './flows/ingest/ingest.ts'
import { createTrial } from './flows/ingest/dry-run.ts'
import { makeKeyRing } from './flows/keys/find-key.ts'
import { type FirstStarted, firstStart } from './flows/start/first-start.ts'
import { readGivenBook, refuseUncovered, type StartBookRefused } from './flows/start/start-book.ts'
import { type LogSettings, prepareIdentity } from './flows/log/log-keys.ts'
import { judgeClockAtStart } from './flows/settle/clock-watch.ts'
import type { Instant } from './core/time/instant.ts'
import { makeGates } from './http/limits/gates.ts'
import { makeServer } from './http/server.ts'
import { type Connection, type Log, makePool, openDatabase } from './store/connect.ts'
import { findDeploymentTable } from './store/deployment.ts'
import { runOne } from './store/query.ts'
import { startHeartbeat } from './store/heartbeat.ts'
import { migrate, type Migrated } from './store/migrate.ts'
import { makeProbePool, makeReadingPool, type Pool } from './store/reading-pool.ts'
import { refuseFewSessions, type SessionBudget, sessionBudget } from './store/session-budget.ts'
import { refuseTrouble } from './store/start-trouble.ts'
import { watchWriter } from './store/watch-writer.ts'
import { makeIngestThreads } from './threads/ingest-threads.ts'
import { startSettling } from './threads/settling-thread.ts'
import {
  CLOSE_PATIENCE_MS,
  STOP_MS,
  STOP_PATIENCE_MS,
  type Stop,
  stopInTime,
  STORE_PATIENCE_MS,
} from './flows/start/stop-in-time.ts'

export interface Running {
  readonly url: string
  /** Made at this start, to be shown this once; undefined otherwise. */
  readonly adminKey: string | undefined
  readonly adminKeyPath: string
  /** Does it bill with illustrative prices? */
  readonly demo: boolean
  /** Resolves, with the reason, when a newer version has changed the schema so that this one may no longer write. */
  readonly outdated: Promise<string>
  /** Finish the requests in flight, then everything else. Can be called twice. */
  stop(): Promise<void>
}

/** Why a start was refused, besides what the database, its migrations and the first start have against it. */
export type StartCode = 'start/port_taken' | 'start/port_forbidden' | 'start/host_unusable' | 'start/stopped'

export interface Refused {
  readonly ok: false
  readonly code: string
  /** One line for the person who can fix it. */
  readonly detail: string
}

export type Started = { readonly ok: true; readonly running: Running } | Refused

/** What has been started, to be stopped in the opposite order. */
interface Stops {
  readonly all: Stop[]
  /** Ends what the database does for this process. */
  cut: () => Promise<unknown>
}

/**
 * Start everything: the database, its schema, the deployment, ingest, settlement and HTTP. The one place where all
 * parts meet. What was started is stopped again when a later part is refused or fails.
 * @param signal ends a start in progress: then it is refused with `start/stopped`
 */
export async function start(settings: Settings, log: Log, signal?: AbortSignal): Promise<Started> {
  // What a person can get wrong is found before a database is made of it.
  const book = settings.priceBook === undefined ? undefined : readGivenBook(settings.priceBook)
  if (book && !book.ok) return book
  const uncovered = book && refuseUncovered(book)
  if (uncovered && !settings.databaseUrl && !existsSync(settings.dataDir)) return uncovered
  const taken = await refuseAddress(settings)
  if (taken) return taken
  const stops: Stops = { all: [], cut: async () => {} }
  const stopAll = once(() => stopInTime(stops.all, () => stops.cut(), log))
  try {
    const started = await startParts(settings, stops, { log, signal, uncovered })
    if (!started.ok) {
      await stopAll()
      return started
    }
    return { ok: true, running: { ...started.parts, stop: stopAll } }
  } catch (error) {
    await stopAll()
    if (signal?.aborted) return refuse('start/stopped', 'The start was stopped: nothing was left running.')
    const trouble = refuseTrouble(error, 'The database')
    if (trouble) return trouble
    throw error
  }
}

type StartedParts = { readonly ok: true; readonly parts: Omit<Running, 'stop'> } | Refused

interface Starting {
  readonly log: Log
  readonly signal: AbortSignal | undefined
  /** The book has a type that no rate covers: a first start is refused, and makes no tables. */
  readonly uncovered: StartBookRefused | undefined
}

async function startParts(
  settings: Settings,
  started: Stops,
  { log, signal, uncovered }: Starting,
): Promise<StartedParts> {
  const { databaseUrl, dataDir, storage, graceMs, host, port } = settings
  const opened = await openDatabase({ databaseUrl, dataDir, storage, log, signal })
  if (!opened.ok) return opened
  const stops = adding(started)
  // Another process may be starting or stopping it, and PostgreSQL writes what it has in memory.
  stops.add('the database', () => opened.database.stop(), STOP_MS)
  const { connection } = opened.database
  if (uncovered && !(await isDeployed(connection, log))) return uncovered
  const few = await refuseFewSessions(connection, settings.sessions)
  if (few) return few
  const budget = sessionBudget(settings.sessions)
  // Before anything is locked: a process that is stopped loses what it holds.
  const heartbeat = await startHeartbeat({ connection, log })
  stops.add('the heartbeat', () => heartbeat.stop())
  started.cut = () => heartbeat.endOwnSessions()
  const migrated = await migrate(connection, { log, signal })
  if (!migrated.ok) return migrated
  sayMigrated(migrated, log)
  // Until everything has started, the signal cuts off what waits in the database.
  const starting = signal && onceMore(signal)
  const pool = { applicationName: 'farthing', log, signal: starting?.signal }
  const writing = makePool(connection, { ...pool, max: budget.writing })
  stops.add('database sessions', () => writing.end())
  const began = await begin(writing, settings, log)
  if (!began.ok) return began
  starting?.done()
  signal?.throwIfAborted()
  const pools = openPools(connection, budget, stops, log)
  const { reading, probes } = pools
  const { taken, backfillReachMs, storedSeriesMax: seriesMax } = settings
  const rules = { taken, backfillReachMs, seriesMax }
  const ingest = await createIngest({ pool: writing, log, ...rules })
  const database = databaseUrl ?? connection
  const large = makeIngestThreads({ database, ...rules, sessions: budget.largeThread }, { log })
  const stored = () => Promise.all([large.close(), ingest.close()])
  stops.add('storing events', stored, STORE_PATIENCE_MS)
  const setup = { ...settlingSetup(settings), database, sessions: budget.settling }
  const settler = startSettling(setup, { pool: writing, log })
  const settled = once(() => settler.stop())
  stops.add('settlement', settled, STOP_PATIENCE_MS)
  const keys = makeKeyRing(probes)
  const trial = createTrial({ pool: reading, ...rules })
  const gates = makeGates(settings.shares, budget.reading)
  const proving = { identity: began.identity, isLogPublic: settings.isLogPublic === true }
  const sources = { ...pools, ...proving, writing, keys, gates, ingest, large, trial }
  const hosts = await hostsOf(settings)
  const server = await makeServer({ ...sources, log, now: clock, graceMs, hosts, dataDir: diskOf(settings) })
  stopTogether(stops, server, settled)
  const url = shownUrl(await server.listen({ port, host }))
  signal?.throwIfAborted()
  const watch = watchWriter(probes)
  stops.add('the watch of the schema', () => watch.stop())
  return { ok: true, parts: { ...partsOf(began.first, url), outdated: watch.outdated } }
}

/** Without a given key an embedded database has its own, in its folder. */
function signingOf({ signing, databaseUrl, dataDir }: Settings): LogSettings {
  const embeddedDir = databaseUrl ? undefined : dataDir
  return signing ?? { origin: undefined, keyPaths: undefined, embeddedDir }
}

/** What has to be there before anything is taken: the deployment, a clock that is right, and the keys of the log. */
async function begin(pool: Pool, settings: Settings, log: Log) {
  const { dataDir, priceBook } = settings
  const first = await firstStart({ pool, dataDir, priceBook, log })
  if (!first.ok) return first
  await judgeClockAtStart(pool)
  const prepared = await prepareIdentity(pool, signingOf(settings), log)
  return prepared.ok ? { ok: true as const, first, identity: prepared.identity } : prepared
}

/** What the thread for settlement is set to. */
function settlingSetup(settings: Settings) {
  const { graceMs, backfillQuietMs, identityWindowMs } = settings
  return { graceMs, backfillQuietMs, identityWindowMs, signing: signingOf(settings) }
}

/** Where the database has its files, if it is Farthing's own. */
function diskOf({ databaseUrl, dataDir }: Settings): string | undefined {
  return databaseUrl ? undefined : dataDir
}

async function isDeployed(connection: Connection, log: Log): Promise<boolean> {
  const pool = makePool(connection, { max: 1, applicationName: 'farthing', log })
  try {
    return (await runOne(pool, findDeploymentTable, undefined)) === true
  } finally {
    await pool.end()
  }
}

/** Those that only read: for questions, and for keys and probes. */
function openPools(connection: Connection, budget: SessionBudget, stops: Adding, log: Log) {
  const reading = makeReadingPool(connection, { max: budget.reading, applicationName: 'farthing-read', log })
  const probes = makeProbePool(connection, { max: budget.probes, applicationName: 'farthing-probe', log })
  stops.add('database sessions', () => Promise.all([reading.end(), probes.end()]))
  return { reading, probes }
}

type Adding = ReturnType<typeof adding>

/** @returns a list to which each part adds how it is stopped */
function adding({ all }: Stops) {
  return {
    add(what: string, stop: Stop['stop'], patienceMs = CLOSE_PATIENCE_MS) {
      all.push({ what, stop, patienceMs })
    },
  }
}

/** At a loopback address it is asked under the names of the machine itself, unless others are set. */
async function hostsOf({ host, hosts }: Settings): Promise<readonly string[] | undefined> {
  if (hosts) return hosts
  const { address, family } = await lookup(host)
  const isOwn = isLoopback(canonicalHost(family === 6 ? `[${address}]` : address) ?? '')
  return isOwn ? [canonicalHost(host) ?? host] : undefined
}

/** This process's clock. */
function clock(): Instant {
  return Date.now() as Instant
}

function sayMigrated({ applied, moved }: Extract<Migrated, { readonly ok: true }>, log: Log): void {
  if (moved) log.info({}, 'The tables of an older version were moved from the schema public to farthing')
  if (applied.length > 0) log.info({ applied }, 'The schema of the database was brought up to date')
}

/** A signal that follows another one until it is `done`. */
function onceMore(signal: AbortSignal): { readonly signal: AbortSignal; readonly done: () => void } {
  const own = new AbortController()
  const follow = () => own.abort(signal.reason)
  signal.addEventListener('abort', follow)
  if (signal.aborted) follow()
  return { signal: own.signal, done: () => signal.removeEventListener('abort', follow) }
}

function partsOf(
  first: Extract<FirstStarted, { readonly ok: true }>,
  url: string,
): Omit<Running, 'stop' | 'outdated'> {
  const { adminKey, adminKeyPath, demo } = first
  return { url, adminKey, adminKeyPath, demo }
}

/** An address that can be opened: 0.0.0.0 and :: stand for all. */
function shownUrl(address: string): string {
  return address.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:')
}

type Server = Awaited<ReturnType<typeof makeServer>>

/** Requests and settlement end at once: each has its time. */
function stopTogether(stops: Adding, server: Server, settled: Stop['stop']): void {
  const serving = () => Promise.all([closeServer(server), settled()])
  stops.add('requests and settlement', serving, STOP_PATIENCE_MS + CLOSE_PATIENCE_MS)
}

/** New connections are refused, requests in flight are answered, and after 12 s cut off. */
async function closeServer(server: Server): Promise<void> {
  const cutOff = setTimeout(() => server.server.closeAllConnections(), STOP_PATIENCE_MS)
  await server.close()
  clearTimeout(cutOff)
}

/** Can the address be listened on? Asked before anything is started, since a taken port is the usual mistake. */
function refuseAddress({ host, port }: Settings): Promise<Refused | undefined> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(addressRefusal(error, host, port)))
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(undefined)))
  })
}

function addressRefusal({ code, message }: NodeJS.ErrnoException, host: string, port: number): Refused {
  if (code === 'EADDRINUSE') {
    return refuse(
      'start/port_taken',
      `Port ${port} is taken: stop what listens there, or set PORT to another.`,
    )
  }
  if (code === 'EACCES') {
    return refuse('start/port_forbidden', `Port ${port} needs privileges: set PORT to a number from 1024 on.`)
  }
  const detail = `Farthing cannot listen on ${host} (${message}): set HOST to an address of this machine.`
  return refuse('start/host_unusable', detail)
}

function refuse(code: StartCode, detail: string): Refused {
  return { ok: false, code, detail }
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => (done ??= work())
}
