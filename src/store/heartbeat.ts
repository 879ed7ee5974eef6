import { setTimeout as sleep } from 'node:timers/promises'
import { type Connection, type Log, makePool } from './connect.ts'
import { sessionName } from './embedded/session.ts'
import { deleteSessions, endSessions, type OtherProcess, listProcesses } from './server.ts'
import { run } from './query.ts'

/** The purpose of the session that shows a heartbeat. */
const HEARTBEAT_SESSION = 'farthing-heartbeat'
/** Between two a heartbeat. */
export const HEARTBEAT_EVERY_MS = 2_000
/**
 * A process that holds something and gives no heartbeat for this long loses it. Much longer than the event loop is
 * ever busy: a process that is only slow keeps what it has, and one that lost it all the same repeats it.
 */
export const HEARTBEAT_PATIENCE_MS = 15_000

/** The name of this process's heartbeat session. */
export function heartbeatSession(): string {
  return sessionName(HEARTBEAT_SESSION)
}

export interface Heartbeat {
  /** End all other sessions of this process: what they have begun is rolled back. */
  endOwnSessions(): Promise<void>
  stop(): Promise<void>
}

/**
 * Show that this process is alive, and take from others that are not what they hold. A process that is stopped
 * (SIGSTOP, a debugger, a frozen container) keeps its sessions, and with them its locks and claims, and no timeout of
 * PostgreSQL reaches a session that waits for the rows of a COPY. So each process asks for the sessions of all every
 * 2 s, on a session of its own: the time of that question is its heartbeat. Whose sign stays the same for 15 s while
 * it is in a transaction, loses its transactions: they are rolled back, and the others go on.
 *
 * Nothing depends on the judgement being right: every transaction can be repeated. No clock does either: how long a
 * sign has not changed is measured by each process that looks.
 *
 * Resolves when the first sign is given: begin before anything is locked.
 */
export async function startHeartbeat({
  connection,
  log,
}: {
  readonly connection: Connection
  readonly log: Log
}): Promise<Heartbeat> {
  const pool = makePool(connection, { max: 1, applicationName: HEARTBEAT_SESSION })
  const abort = new AbortController()
  const watch = makeWatch()
  const beat = async () => {
    const seen = await run(pool, listProcesses, { own: heartbeatSession() })
    for (const { process, sign } of watch(seen, performance.now())) {
      const [ended] = await run(pool, deleteSessions, { process, sign })
      if (!ended) continue
      const fields = { process, sessions: ended }
      log.warn(fields, 'A process gave no heartbeat: its transactions were ended, others do its work')
    }
  }
  await beat().catch(() => undefined)
  const beating = (async () => {
    while (!abort.signal.aborted) {
      await sleep(HEARTBEAT_EVERY_MS, undefined, { signal: abort.signal, ref: false }).catch(() => undefined)
      // A database that is away is said elsewhere; without it there is nothing to hold.
      if (!abort.signal.aborted) await beat().catch(() => undefined)
    }
  })()
  return {
    async endOwnSessions() {
      const process = heartbeatSession().split(' ')[1]!
      await run(pool, endSessions, { process }).catch(() => undefined)
    },
    async stop() {
      abort.abort()
      await beating
      await pool.end()
    },
  }
}

/**
 * Notes how long each process's sign has not changed, over all looks.
 * @returns a function that takes what a look has seen, and when, and gives the processes whose patience is used up
 */
export function makeWatch(): (seen: readonly OtherProcess[], nowMs: number) => readonly OtherProcess[] {
  let silent = new Map<string, { readonly sign: string; readonly ms: number }>()
  let lookedAt: number | undefined
  return (seen, nowMs) => {
    // After a pause of ours (we may have been stopped too) the others get a chance to show a sign first.
    const elapsed = Math.min(nowMs - (lookedAt ?? nowMs), 2 * HEARTBEAT_EVERY_MS)
    lookedAt = nowMs
    silent = new Map(
      seen.map(({ process, sign }) => {
        const before = silent.get(process)
        return [process, { sign, ms: before?.sign === sign ? before.ms + elapsed : 0 }]
      }),
    )
    return seen.filter(({ process, holds }) => holds && silent.get(process)!.ms >= HEARTBEAT_PATIENCE_MS)
  }
}
