import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Connection } from '../../src/store/connect.ts'

const START_MS = 30_000

export interface OtherPostgres {
  readonly connection: Connection
  stop(): Promise<void>
}

/** A server of another version, on a socket in a temporary folder. @param bin the folder with initdb and postgres */
export async function startOtherPostgres(bin: string): Promise<OtherPostgres> {
  const dir = mkdtempSync(join(tmpdir(), 'farthing-other-'))
  const user = serverUser()
  if (user) chownSync(dir, user.uid, user.gid)
  const data = join(dir, 'data')
  const options = { stdio: 'ignore', ...user } as const
  const initdb = spawnSync(
    join(bin, 'initdb'),
    ['-D', data, '-U', 'farthing', '-A', 'trust', '-E', 'UTF8'],
    options,
  )
  if (initdb.status !== 0) throw new Error(`${bin}/initdb failed`)
  const args = ['-D', data, '-k', dir, '-c', 'listen_addresses=', '-c', 'max_connections=200']
  const server = spawn(join(bin, 'postgres'), args, options)
  const connection: Connection = {
    host: dir,
    port: 5432,
    user: 'farthing',
    database: 'postgres',
    ssl: false,
  }
  await untilItAnswers(connection)
  return {
    connection,
    async stop() {
      const ended = once(server, 'exit')
      server.kill('SIGINT')
      await ended
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** PostgreSQL does not run as root: as the user that Debian's package has made. */
function serverUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.geteuid?.() !== 0) return undefined
  const id = (flag: string) => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout)
  return { uid: id('-u'), gid: id('-g') }
}

async function untilItAnswers(connection: Connection): Promise<void> {
  const giveUpAt = Date.now() + START_MS
  for (;;) {
    const client = new pg.Client(connection)
    try {
      await client.connect()
      await client.end()
      return
    } catch (error) {
      if (Date.now() > giveUpAt) throw error
      await sleep(50)
    }
  }
}
