import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { askForPassword, letIn } from './access.ts'
import type { Binaries } from './binaries.ts'
import { clearAway } from './clear-away.ts'
import { ask, type Connection, DATABASE, socketConnection } from './connection.ts'
import { lastWords } from './last-words.ts'
import type { Log } from './log.ts'
import { preparePgdata } from './pgdata.ts'
import { makeOwn, type Place } from './place.ts'
import { answers, isOurTrouble, launch, stopPostmaster, stopStarting } from './postmaster.ts'
import { runningPostmaster } from './postmaster-file.ts'
import { type Refused, refuse, refuseFullDisk, systemCode } from './refusal.ts'
import { settings, usableMemory } from './settings.ts'
import { PORT, socketDir } from './socket-dir.ts'

export interface Running {
  readonly ok: true
  readonly pid: number
  readonly connection: Connection
  /** False when it ran already. */
  readonly launched: boolean
}

/**
 * Make the server run and answer: found as it runs, or started, and made before if need be. Call in turn.
 * @param signal ends it: a server that was started is stopped again, and it throws
 */
export async function bringUp(
  place: Place,
  binaries: Binaries,
  log: Log,
  signal?: AbortSignal,
): Promise<Running | Refused> {
  const socket = socketDir(place)
  if (!socket.ok) return socket
  const refused = preparePgdata(place, binaries)
  if (refused) return refused
  makeOwn(place.logs, place)
  const connection = letIn(place, socketConnection(socket.dir))
  const onSlow = () => log.info({ log: lastWords(place).file }, 'PostgreSQL is still starting')
  const waiting = { onSlow, signal }
  const running =
    (await found(place, connection, waiting)) ?? (await started(place, binaries, connection, waiting))
  if (!running.ok) return running
  const incomplete = await makeDatabase(place, connection)
  return incomplete ?? { ...running, connection: await askForPassword(place, connection) }
}

/** How a start is waited for. */
interface Waiting {
  readonly onSlow: () => void
  readonly signal: AbortSignal | undefined
}

/** The server that runs already, if it can be reached. One that is stopping is waited for, and is not found. */
async function found(
  place: Place,
  connection: Connection,
  { onSlow, signal }: Waiting,
): Promise<Running | Refused | undefined> {
  const pid = runningPostmaster(place.pgdata)
  if (pid !== undefined) {
    if (await answers(place, connection, pid, onSlow, signal))
      return { ok: true, pid, connection, launched: false }
    await stopPostmaster(place.pgdata)
    return undefined
  }
  if (!existsSync(join(connection.host, `.s.PGSQL.${PORT}`)) || !(await isAnswered(connection)))
    return undefined
  const detail = `The server of ${place.dataDir} runs where this process cannot see it (another container?)`
  return refuse('server/elsewhere', `${detail}: stop it there, or give each its own FARTHING_DATA_DIR.`)
}

/** Whether anyone listens, even one who says no. */
async function isAnswered(connection: Connection): Promise<boolean> {
  try {
    await ask(connection, 'select 1')
    return true
  } catch (error) {
    if (isOurTrouble(error)) throw error
    return !['ECONNREFUSED', 'ENOENT'].includes(systemCode(error) ?? '')
  }
}

async function started(
  place: Place,
  binaries: Binaries,
  connection: Connection,
  { onSlow, signal }: Waiting,
): Promise<Running | Refused> {
  await clearAway(place, connection.host)
  signal?.throwIfAborted()
  const surroundings = {
    socketDir: connection.host,
    logs: place.logs,
    pgdata: place.pgdata,
    memory: usableMemory(),
  }
  const pid = launch(place, binaries, settings(surroundings))
  try {
    if (pid !== undefined && (await answers(place, connection, pid, onSlow, signal))) {
      return { ok: true, pid, connection, launched: true }
    }
  } catch (error) {
    if (pid !== undefined) await stopStarting(place.pgdata, pid)
    throw error
  }
  const { file, text } = lastWords(place)
  return refuseStart(place, text || 'it said nothing', file)
}

function refuseStart(place: Place, reason: string, file: string): Refused {
  if (/No space left|Disk quota/.test(reason)) return refuseFullDisk(place.dataDir)
  return refuse('server/did_not_start', `PostgreSQL did not start (${reason}): see ${file}.`)
}

/** Looked up at each start, since a kill may have come between `initdb` and this. */
async function makeDatabase(place: Place, connection: Connection): Promise<Refused | undefined> {
  const maintenance = { ...connection, database: 'postgres' }
  try {
    const row = await ask(maintenance, `select 1 from pg_database where datname = '${DATABASE}'`)
    if (!row) await ask(maintenance, `create database ${DATABASE}`)
    return undefined
  } catch (error) {
    return refuseStart(place, error instanceof Error ? error.message : String(error), lastWords(place).file)
  }
}
