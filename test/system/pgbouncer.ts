import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Connection } from '../../src/store/connect.ts'
import { installProgram } from './installed-program.ts'

export interface Pooler {
  readonly url: string
  stop(): Promise<void>
}

/** Why there is no PgBouncer here; undefined: it is installed now. */
export function whyNoPgbouncer(): string | undefined {
  try {
    installProgram('pgbouncer', '--version')
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Debian's PgBouncer before a database, on a Unix socket. @param settings of its `[pgbouncer]` section */
export async function startPgbouncer(
  { host, port, user, database }: Connection,
  settings: Readonly<Record<string, string | number>>,
): Promise<Pooler> {
  const dir = mkdtempSync(join(tmpdir(), 'farthing-pooler-'))
  chmodSync(dir, 0o777)
  const all = {
    listen_addr: '',
    listen_port: 6432,
    unix_socket_dir: dir,
    auth_type: 'any',
    logfile: join(dir, 'log'),
    pidfile: join(dir, 'pid'),
    server_round_robin: 0,
    ...settings,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`)
  const target = `${database} = host=${host} port=${port} dbname=${database} user=${user}`
  const file = join(dir, 'pgbouncer.ini')
  writeFileSync(file, `[databases]\n${target}\n[pgbouncer]\n${lines.join('\n')}\n`)
  // It does not run as root, and the server lets in its own user alone.
  const { uid, gid } = statSync(join(host, `.s.PGSQL.${port}`))
  const asRoot = process.geteuid?.() === 0 ? { uid, gid } : {}
  const pooler = spawn('pgbouncer', [file], { stdio: 'ignore', ...asRoot })
  const ended = once(pooler, 'exit')
  const connection = { host: dir, port: 6432, user, database }
  for (let left = 200; ; left--) {
    const client = new pg.Client(connection)
    try {
      await client.connect()
      await client.end()
      break
    } catch (error) {
      if (left === 0) throw error
      await sleep(50)
    }
  }
  return {
    url: `postgres://${user}@localhost/${database}?host=${encodeURIComponent(dir)}&port=6432`,
    async stop() {
      pooler.kill('SIGKILL')
      await ended
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
