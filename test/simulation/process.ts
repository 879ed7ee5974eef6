import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Json } from '../../src/core/text/canonical-json.ts'
import type { Connection } from '../../src/store/connect.ts'

const PROGRAM = fileURLToPath(new URL('process.mjs', import.meta.url))

export interface WriteUsage {
  readonly role: 'write'
  readonly name: string
  readonly accounts: readonly string[]
  /** So many at once, each with sessions of its own. */
  readonly senders: number
  /** Events of one delivery. */
  readonly batch: number
}

export interface Settle {
  readonly role: 'settle'
  readonly graceMs: number
  readonly backfillQuietMs: number
  readonly identityWindowMs: number
}

/** Sends one delivery until it is answered. */
export interface Deliver {
  readonly role: 'deliver'
  readonly events: readonly Json[]
}

/** Runs statements on one session, and stops. */
export interface Hold {
  readonly role: 'hold'
  readonly statements: readonly string[]
}

/** What a process did: hours that it had a part in; events that were accepted, by `account hour`. */
export interface Done {
  readonly hours: number
  readonly accepted: Readonly<Record<string, number>>
  /** Passes that failed after the process was stopped. */
  readonly failures: number
  /** Of a delivery. */
  readonly outcomes: readonly string[]
  /** How often it had to be sent again. */
  readonly repeats: number
  /** Of one that held: was its session ended while it was stopped? */
  readonly ended: boolean
}

export interface Worker {
  readonly process: ChildProcess
  /** Resolves when it has stopped where it should (SIGSTOP). */
  readonly stopped: Promise<void>
  /** Ask it to stop. @throws when it has failed */
  stop(): Promise<Done>
}

/**
 * A real process that writes or settles on a database, with the program as `npm start` runs it; once it has begun.
 * @param stopsAt it stops itself (SIGSTOP) at its first statement that contains this
 */
export async function startWorker(
  connection: Connection,
  work: WriteUsage | Settle | Deliver | Hold,
  stopsAt?: string,
): Promise<Worker> {
  const child = fork(PROGRAM, [JSON.stringify({ connection, stopsAt, ...work })], { stdio: 'inherit' })
  const ended = once(child, 'exit').then(([code, signal]): never => {
    throw new Error(`the process ended with ${code ?? signal}`)
  })
  const told = (is: (message: unknown) => boolean) => {
    const message = new Promise((resolve) => {
      child.on('message', (one) => {
        if (is(one)) resolve(one)
      })
    })
    const first = Promise.race([message, ended])
    first.catch(() => undefined)
    return first
  }
  const stopped = told((message) => message === 'stopping').then(() => undefined)
  stopped.catch(() => undefined)
  const done = told((message) => typeof message === 'object')
  await told((message) => message === 'ready')
  return {
    process: child,
    stopped,
    async stop() {
      if (child.connected) child.send('stop')
      return (await done) as Done
    },
  }
}
