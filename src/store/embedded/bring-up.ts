import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Binaries } from './binaries.ts'
import { ask, type Connection, DATABASE, socketConnection } from './connection.ts'
import { makeOwn, type Place } from './place.ts'
import { preparePgdata } from './pgdata.ts'
import { answers, lastWords, launch, send } from './postmaster.ts'
import { HAS_PROC, orphans, runningPostmaster } from './postmaster-file.ts'
import { type Refused, refuse, refuseFullDisk, systemCode } from './refusal.ts'
import { settings, usableMemory } from './settings.ts'
import { PORT, socketDir } from './socket-dir.ts'

const ORPHAN_POLL_MS = 50
/** What an orphaned server process is told, and after how long: its work is lost in any case. */
const ORPHAN_SIGNALS = [
  { signal: 'SIGQUIT', afterMs: 2_000 },
  { signal: 'SIGKILL', afterMs: 7_000 },
] as const

export interface Running {
  readonly ok: true
  readonly pid: number
  readonly connection: Connection
  /** False when it ran already. */
  readonly launched: boolean
}

/** Make the server run and answer: found as it runs, or started, and made before if need be. Call in turn. */
export async function bringUp(place: Place, binaries: Binaries): Promise<Running | Refused> {
  const refused = preparePgdata(place, binaries)
  if (refused) return refused
  makeOwn(place.logs, place)
  const socket = socketDir(place)
  if (!socket.ok) return socket
  const connection = socketConnection(socket.dir)
  const running = (await found(place, connection)) ?? (await started(place, binaries, connection))
  if (running.ok) await makeDatabase(connection)
  return running
}

/** The server that runs already. One that is just stopping is waited for, and is not found. */
async function found(place: Place, connection: Connection): Promise<Running | Refused | undefined> {
  const pid = runningPostmaster(place.pgdata)
  if (pid !== undefined) {
    return (await answers(connection, pid)) ? { ok: true, pid, connection, launched: false } : undefined
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
    return !['ECONNREFUSED', 'ENOENT'].includes(systemCode(error) ?? '')
  }
}

async function started(place: Place, binaries: Binaries, connection: Connection): Promise<Running | Refused> {
  await clearAway(place, connection)
  const surroundings = { socketDir: connection.host, logs: place.logs, memory: usableMemory() }
  const pid = launch(place, binaries, settings(surroundings))
  if (pid !== undefined && (await answers(connection, pid)))
    return { ok: true, pid, connection, launched: true }
  const { file, text } = lastWords(place)
  if (/No space left|Disk quota/.test(text)) return refuseFullDisk(place.dataDir)
  const detail = `PostgreSQL did not start (${text || 'it said nothing'})`
  return refuse('server/did_not_start', `${detail}: see ${file}.`)
}

/** Remove what a killed server has left, when none of its processes is left. */
async function clearAway({ pgdata }: Place, { host }: Connection): Promise<void> {
  const begin = Date.now()
  for (let left = orphans(pgdata); left.length > 0; left = orphans(pgdata)) {
    const due = ORPHAN_SIGNALS.findLast(({ afterMs }) => Date.now() - begin > afterMs)
    if (due) for (const pid of left) send(pid, due.signal)
    await sleep(ORPHAN_POLL_MS)
  }
  // PostgreSQL believes a pid file whose number is in use, by whatever program: a container's numbers repeat.
  // Where orphans cannot be seen, the file stays, as PostgreSQL finds them with what is in it.
  if (HAS_PROC) rmSync(join(pgdata, 'postmaster.pid'), { force: true })
  for (const name of [`.s.PGSQL.${PORT}`, `.s.PGSQL.${PORT}.lock`]) rmSync(join(host, name), { force: true })
}

/** Looked up at each start, since a kill may have come between `initdb` and this. */
async function makeDatabase(connection: Connection): Promise<void> {
  const maintenance = { ...connection, database: 'postgres' }
  const row = await ask(maintenance, `select 1 from pg_database where datname = '${DATABASE}'`)
  if (!row) await ask(maintenance, `create database ${DATABASE}`)
}
