import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
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
  readonly historyQuietMs: number
  readonly identityWindowMs: number
}

/** What a process did: hours that it had a part in; events that were accepted, by `account hour`. */
export interface Done {
  readonly hours: number
  readonly accepted: Readonly<Record<string, number>>
}

export interface Worker {
  readonly process: ChildProcess
  /** Ask it to stop. @throws when it has failed */
  stop(): Promise<Done>
}

/** A real process that writes or settles on a database, with the program as `npm start` runs it; once it has begun. */
export async function startWorker(connection: Connection, work: WriteUsage | Settle): Promise<Worker> {
  const child = fork(PROGRAM, [JSON.stringify({ connection, ...work })], { stdio: 'inherit' })
  const ended = once(child, 'exit').then(([code, signal]): never => {
    throw new Error(`the process ended with ${code ?? signal}`)
  })
  ended.catch(() => undefined)
  const nextMessage = async () => (await Promise.race([once(child, 'message'), ended]))[0] as unknown
  await nextMessage()
  const done = nextMessage()
  done.catch(() => undefined)
  return {
    process: child,
    async stop() {
      if (child.connected) child.send('stop')
      return (await done) as Done
    },
  }
}
