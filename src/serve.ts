import { createServer } from 'node:net'
import type { Settings } from './config.ts'
import { createIngest } from './flows/ingest/ingest.ts'
import { createTrial } from './flows/ingest/dry-run.ts'
import { makeKeyRing } from './flows/keys/find-key.ts'
import { type FirstStarted, firstStart } from './flows/start/first-start.ts'
import { readGivenBook } from './flows/start/start-book.ts'
import { acceptClockAtStart } from './flows/settle/clock-watch.ts'
import type { Instant } from './core/time/instant.ts'
import { makeServer } from './http/server.ts'
import { type Log, makePool, openDatabase } from './store/connect.ts'
import { startHeartbeat } from './store/heartbeat.ts'
import { migrate } from './store/migrate.ts'
import { makeReadingPool } from './store/reading-pool.ts'
import { makeIngestThreads } from './threads/ingest-threads.ts'
import { startSettling } from './threads/settling-thread.ts'

/** Requests in flight get this long to end when the process stops. */
export const STOP_PATIENCE_MS = 20_000
/** Sessions for ingest and keys; and for reading. */
const WRITING_SESSIONS = 10
const READING_SESSIONS = 10

export interface Running {
  readonly url: string
  /** Made at this start, to be shown this once; undefined otherwise. */
  readonly adminKey: string | undefined
  readonly adminKeyPath: string
  /** Does it bill with illustrative prices? */
  readonly demo: boolean
  /** Finish the requests in flight, then everything else. Can be called twice. */
  stop(): Promise<void>
}

/** Why a start was refused, besides what the database, its migrations and the first start have against it. */
export type StartCode = 'start/port_taken' | 'start/port_forbidden' | 'start/host_unusable'

export interface Refused {
  readonly ok: false
  readonly code: string
  /** One line for the person who can fix it. */
  readonly detail: string
}

export type Started = { readonly ok: true; readonly running: Running } | Refused

/** What has been started, to be stopped in the opposite order. */
type Stops = (() => Promise<unknown>)[]

/**
 * Start everything: the database, its schema, the deployment, ingest, settlement and HTTP. The one place where all
 * parts meet. What was started is stopped again when a later part is refused or fails.
 */
export async function start(settings: Settings, log: Log): Promise<Started> {
  // What a person can get wrong is found before a database is made of it.
  const book = settings.priceBook === undefined ? undefined : readGivenBook(settings.priceBook)
  if (book && !book.ok) return book
  const taken = await refuseAddress(settings)
  if (taken) return taken
  const stops: Stops = []
  const stopAll = once(async () => {
    for (const stop of stops.reverse()) await stop()
  })
  try {
    const started = await startParts(settings, log, stops)
    if (!started.ok) {
      await stopAll()
      return started
    }
    return { ok: true, running: { ...started.parts, stop: stopAll } }
  } catch (error) {
    await stopAll()
    throw error
  }
}

type StartedParts = { readonly ok: true; readonly parts: Omit<Running, 'stop'> } | Refused

async function startParts(settings: Settings, log: Log, stops: Stops): Promise<StartedParts> {
  const { databaseUrl, dataDir, graceMs, backfillQuietMs, identityWindowMs, host, port } = settings
  const opened = await openDatabase({ databaseUrl, dataDir, log })
  if (!opened.ok) return opened
  stops.push(() => opened.database.stop())
  const { connection } = opened.database
  // Before anything is locked: a process that is stopped loses what it holds.
  const heartbeat = await startHeartbeat({ connection, log })
  stops.push(() => heartbeat.stop())
  const migrated = await migrate(connection)
  if (!migrated.ok) return migrated
  const writing = makePool(connection, { max: WRITING_SESSIONS, applicationName: 'farthing', log })
  stops.push(() => writing.end())
  const first = await firstStart({ pool: writing, dataDir, priceBook: settings.priceBook, log })
  if (!first.ok) return first
  await acceptClockAtStart(writing)
  const reading = makeReadingPool(connection, {
    max: READING_SESSIONS,
    applicationName: 'farthing-read',
    log,
  })
  stops.push(() => reading.end())
  const { taken } = settings
  const ingest = await createIngest({ pool: writing, log, taken })
  stops.push(() => ingest.close())
  const database = databaseUrl ?? connection
  const large = makeIngestThreads({ database, taken }, { log })
  stops.push(() => large.close())
  const setup = { database, graceMs, backfillQuietMs, identityWindowMs }
  const settler = startSettling(setup, { pool: writing, log })
  stops.push(() => settler.stop())
  const keys = makeKeyRing(reading)
  const trial = createTrial({ pool: reading, taken })
  const server = await makeServer({ reading, writing, keys, ingest, large, trial, log, now: clock, graceMs })
  stops.push(() => closeServer(server))
  const url = shownUrl(await server.listen({ port, host }))
  return { ok: true, parts: partsOf(first, url) }
}

/** This process's clock. */
function clock(): Instant {
  return Date.now() as Instant
}

function partsOf(first: Extract<FirstStarted, { readonly ok: true }>, url: string): Omit<Running, 'stop'> {
  const { adminKey, adminKeyPath, demo } = first
  return { url, adminKey, adminKeyPath, demo }
}

/** An address that can be opened: 0.0.0.0 and :: stand for all. */
function shownUrl(address: string): string {
  return address.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:')
}

type Server = Awaited<ReturnType<typeof makeServer>>

/** New connections are refused, requests in flight are answered, and after 20 s cut off. */
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
