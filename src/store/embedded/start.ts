import { setInterval } from 'node:timers'
import { join } from 'node:path'
import { type Binaries, findBinaries } from './binaries.ts'
import { bringUp, type Running } from './bring-up.ts'
import type { Connection } from './connection.ts'
import type { Log } from './log.ts'
import { enter, hasMembers, leave, type Membership } from './members.ts'
import { findPlace, type Place } from './place.ts'
import { pruneLogs, stopPostmaster } from './postmaster.ts'
import { type Refused, refuse, refuseSystemError } from './refusal.ts'
import { LOG_FILES_MAX } from './settings.ts'
import { inTurn } from './turns.ts'

/** As long as a start may take, with its recovery, plus the stop before it. */
const TURN_PATIENCE_MS = 12 * 60_000
const PRUNE_EVERY_MS = 60_000

export interface EmbeddedOptions {
  readonly dataDir: string
  readonly log: Log
  /** Where root keeps what the server's user could not reach otherwise. */
  readonly sharedDir?: string
}

/** A database to connect to, and how to be done with it. */
export interface Database {
  readonly connection: Connection
  /** Whether another living process had the server already. */
  readonly joined: boolean
  /** Of PostgreSQL's first process; undefined for a server that is not ours. */
  readonly serverPid?: number
  /** Leave; the last process to leave stops the server. Can be called twice. */
  readonly stop: () => Promise<void>
}

export type Started = { readonly ok: true; readonly database: Database } | Refused

/**
 * Have a PostgreSQL server for a data directory: made if there is none, started if it does not run, taken over
 * from a killed process, or shared with a living one. Any number of processes may call this at once.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Started> {
  try {
    return await start(options)
  } catch (error) {
    return refuseSystemError(error, options.dataDir)
  }
}

async function start({ dataDir, log, sharedDir = '/var/lib/farthing' }: EmbeddedOptions): Promise<Started> {
  const at = findPlace(dataDir, sharedDir)
  if (!at.ok) return at
  const { place } = at
  const found = findBinaries(place, sharedDir)
  if (!found.ok) return found
  const { binaries } = found
  const database = await inTurn(turnsOf(place), TURN_PATIENCE_MS, () => use(place, binaries, log))
  if (database) return database
  const detail = `Another Farthing process has been starting or stopping the server of ${dataDir} for too long`
  return refuse('server/busy', `${detail}: end it and try again.`)
}

async function use(place: Place, binaries: Binaries, log: Log): Promise<Started> {
  const members = join(place.home, 'processes')
  const joined = hasMembers(members)
  const running = await bringUp(place, binaries)
  if (!running.ok) return running
  pruneLogs(place.logs, LOG_FILES_MAX)
  const { pid } = running
  log.info({ serverPid: pid, home: place.home }, say(running, joined))
  const stop = stopper(place, enter(members))
  return { ok: true, database: { connection: running.connection, joined, serverPid: pid, stop } }
}

function say({ launched }: Running, joined: boolean): string {
  if (launched) return 'PostgreSQL started'
  return joined
    ? 'PostgreSQL shared with another process'
    : 'PostgreSQL taken over from a process that has ended'
}

function stopper(place: Place, membership: Membership): () => Promise<void> {
  const pruning = setInterval(() => pruneLogs(place.logs, LOG_FILES_MAX), PRUNE_EVERY_MS).unref()
  let stopping: Promise<void> | undefined
  return () => {
    clearInterval(pruning)
    stopping ??= inTurn(turnsOf(place), TURN_PATIENCE_MS, async () => {
      leave(membership)
      if (!hasMembers(membership.dir)) await stopPostmaster(place.pgdata)
    })
    return stopping
  }
}

function turnsOf({ home }: Place): string {
  return join(home, 'turns')
}
