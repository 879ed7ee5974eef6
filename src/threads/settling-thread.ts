import type pg from 'pg'
import {
  type BackgroundJobs,
  type BackgroundJobsOptions,
  startBackgroundJobs,
} from '../flows/background-jobs.ts'
import type { Connection, Log } from '../store/connect.ts'
import { identityOf, type LogSettings } from '../flows/log/log-keys.ts'
import { startThread } from './thread.ts'

const WORKER = new URL('settling-worker.js', import.meta.url)

/** What the thread for settlement needs: plain data. */
export interface SettlingSetup extends Omit<BackgroundJobsOptions, 'pool' | 'log' | 'identity'> {
  /** Where the keys of the log are. */
  readonly signing?: LogSettings
  /** Of the embedded database, or the URL of the user's own: what becomes of that may not be plain data. */
  readonly database: Connection | string
  /** Of the database, at most. */
  readonly sessions: number
}

export interface SettlingOptions {
  /** For the main thread, if it has to settle itself. */
  readonly pool: pg.Pool
  readonly log: Log
  /** The module that runs in the thread. */
  readonly worker?: URL
}

/**
 * Settle in a thread of its own, so that no request waits for a piece of that work. To the database it is one more
 * process. If it cannot be started the main thread settles, in turns with everything else.
 */
export function startSettling(
  setup: SettlingSetup,
  { pool, log, worker = WORKER }: SettlingOptions,
): BackgroundJobs {
  const starting = start()

  async function start(): Promise<BackgroundJobs> {
    try {
      const start = { module: worker, name: 'the thread for settlement', setup, log, hear: () => undefined }
      const thread = await startThread<never, never>(start)
      return { stop: () => thread.close() }
    } catch (error) {
      log.warn({ err: error }, 'The thread for settlement was not started: the main thread settles')
      const { database: _, sessions: __, signing, ...settings } = setup
      return startBackgroundJobs({ pool, log, ...settings, identity: identityOf(signing) })
    }
  }

  return {
    async stop() {
      await (await starting).stop()
    },
  }
}
