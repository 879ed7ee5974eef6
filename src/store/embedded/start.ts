import { existsSync } from 'node:fs'
import { setInterval } from 'node:timers'
import { join } from 'node:path'
import { type Binaries, findBinaries } from './binaries.ts'
import { bringUp, type Running } from './bring-up.ts'
import type { Connection } from './connection.ts'
import { keepUp } from './keep-up.ts'
import { pruneLogs } from './last-words.ts'
import type { Log } from './log.ts'
import { enter, hasMembers, leave } from './members.ts'
import { findPlace, type Place } from './place.ts'
import { stopPostmaster } from './postmaster.ts'
import { type Refused, refuse, refuseSystemError } from './refusal.ts'
import { inTurn } from './turns.ts'

/** As long as a start may take, with its recovery, plus the stop before it. */
const TURN_PATIENCE_MS = 12 * 60_000
const PRUNE_EVERY_MS = 60_000

export interface EmbeddedOptions {
  readonly dataDir: string
  readonly log: Log
  /** Where root keeps what the server's user could not reach otherwise. */
  readonly sharedDir?: string
  /** Ends a start in progress: what it has started is stopped, and it throws. */
  readonly signal?: AbortSignal | undefined
}

/** A database to connect to, and how to be done with it. */
export interface Database {
  readonly connection: Connection
  /** Whether others had the server already: a living process, or, if it is not ours, anyone. */
  readonly joined: boolean
  /** Of PostgreSQL's first process, as it is now; undefined for a server that is not ours. */
  readonly serverPid?: number
  /** Leave; the last process to leave stops the server. Can be called twice. */
  readonly stop: () => Promise<void>
}

export type Started = { readonly ok: true; readonly database: Database } | Refused

/**
 * Have a PostgreSQL server for a data directory: made if there is none, started if it does not run, taken over
 * from a killed process, or shared with a living one; and started again if it ends by itself. Any number of
 * processes may call this at once.
 */
export async function startEmbedded({
  dataDir,
  log,
  sharedDir = '/var/lib/farthing',
  signal,
}: EmbeddedOptions): Promise<Started> {
  return refusing(dataDir, async () => {
    signal?.throwIfAborted()
    const at = findPlace(dataDir, sharedDir)
    if (!at.ok) return at
    const { madeUser } = at.place
    if (madeUser) log.info({ user: madeUser }, 'A system user was made, as whom PostgreSQL runs')
    const found = findBinaries(at.place, sharedDir)
    if (!found.ok) return found
    const started = await takeTurn(at.place, () => use(at.place, found.binaries, log, signal), signal)
    return started ?? refuseBusy(dataDir)
  })
}

async function use(
  place: Place,
  binaries: Binaries,
  log: Log,
  signal: AbortSignal | undefined,
): Promise<Started> {
  const members = join(place.home, 'processes')
  const joined = hasMembers(members)
  const running = await bringUp(place, binaries, log, signal)
  if (!running.ok) return running
  const membership = enter(members)
  log.info({ serverPid: running.pid, home: place.home }, say(running, joined))
  const watch = keepUp(running.pid, log, () => startAgain(place, binaries, log))
  const pruning = prune(place)
  let stopping: Promise<void> | undefined
  const stop = async () => {
    clearInterval(pruning)
    await watch.end()
    await takeTurn(place, async () => {
      leave(membership)
      if (!hasMembers(members)) await stopPostmaster(place.pgdata)
    })
  }
  const { connection } = running
  return {
    ok: true,
    database: {
      connection,
      joined,
      get serverPid() {
        return watch.pid()
      },
      stop: () => (stopping ??= stop()),
    },
  }
}

/** Never with new, empty data: what was removed under a running server is for its owner to bring back. */
async function startAgain(
  place: Place,
  binaries: Binaries,
  log: Log,
): Promise<Running | Refused | undefined> {
  if (!existsSync(place.pgdata)) {
    return refuse(
      'server/data_dir',
      `${place.pgdata} has been removed: bring it back, or start Farthing afresh.`,
    )
  }
  return refusing(place.dataDir, () => takeTurn(place, () => bringUp(place, binaries, log)))
}

function say({ launched }: Running, joined: boolean): string {
  if (launched) return 'PostgreSQL started'
  return joined
    ? 'PostgreSQL shared with another process'
    : 'PostgreSQL taken over from a process that has ended'
}

function prune(place: Place): NodeJS.Timeout {
  pruneLogs(place)
  return setInterval(() => pruneLogs(place), PRUNE_EVERY_MS).unref()
}

function takeTurn<T>({ home }: Place, work: () => Promise<T>, signal?: AbortSignal): Promise<T | undefined> {
  return inTurn(join(home, 'turns'), TURN_PATIENCE_MS, work, signal)
}

async function refusing<T>(dataDir: string, work: () => Promise<T>): Promise<T | Refused> {
  try {
    return await work()
  } catch (error) {
    return refuseSystemError(error, dataDir)
  }
}

function refuseBusy(dataDir: string): Refused {
  const detail = `Another Farthing process has been starting or stopping the server of ${dataDir} for too long`
  return refuse('server/busy', `${detail}: end it and try again.`)
}
