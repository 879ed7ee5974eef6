import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Hour } from '../../src/core/time/hour.ts'
import { firstStart } from '../../src/flows/start/first-start.ts'
import { type Database, makePool, openDatabase } from '../../src/store/connect.ts'
import { migrate } from '../../src/store/migrate.ts'
import { PROGRAM, surroundings } from '../system/cli-run.ts'
import { quiet } from '../system/deployment.ts'
import { type PriceTable, priceBookText } from './prices.ts'

/** A data directory with a server that can be killed and started again, as often as one likes. */
export interface ServerLife {
  readonly dataDir: string
  readonly adminKey: string
  /** Where the server that runs now can be reached, if one does. */
  readonly url: () => string | undefined
  /** Start `farthing serve` and wait until it is ready. */
  start(): Promise<void>
  /** kill -9. */
  killServer(): Promise<void>
  killPostgres(): void
  /** As Ctrl-C does. */
  stop(): Promise<void>
  /** The database, with no server. */
  open(): Promise<Database>
  remove(): void
}

/** @param firstHour live hours begin here */
export async function serverLife(firstHour: number, table: PriceTable): Promise<ServerLife> {
  const home = mkdtempSync(join(tmpdir(), 'farthing-heartbeat-'))
  // As root PostgreSQL runs as another user, who must be able to enter.
  chmodSync(home, 0o711)
  const dataDir = join(home, 'data')
  const open = () => openedDatabase(dataDir)
  const adminKey = await prepare(home, open, firstHour, table)
  let running: { readonly child: ChildProcess; readonly url: string } | undefined
  const end = async (signal: NodeJS.Signals) => {
    const { child } = running!
    running = undefined
    const ended = once(child, 'close')
    child.kill(signal)
    await ended
  }
  return {
    dataDir,
    adminKey,
    url: () => running?.url,
    open,
    async start() {
      running = await serve(dataDir)
    },
    killServer: () => end('SIGKILL'),
    killPostgres() {
      const [pid] = readFileSync(join(dataDir, 'postgres/postmaster.pid'), 'utf8').split('\n')
      process.kill(Number(pid), 'SIGKILL')
    },
    stop: () => end('SIGTERM'),
    remove: () => rmSync(home, { recursive: true, force: true }),
  }
}

async function openedDatabase(dataDir: string): Promise<Database> {
  const opened = await openDatabase({ dataDir, log: quiet })
  if (!opened.ok) throw new Error(opened.detail)
  return opened.database
}

/** The first start, with an hour of its own. @returns the admin key */
async function prepare(
  home: string,
  open: ServerLife['open'],
  firstHour: number,
  table: PriceTable,
): Promise<string> {
  const priceBook = join(home, 'prices.json')
  writeFileSync(priceBook, priceBookText(table))
  const database = await open()
  await migrate(database.connection)
  const pool = makePool(database.connection)
  const options = { pool, dataDir: join(home, 'data'), priceBook, log: quiet }
  const first = await firstStart({ ...options, firstHour: firstHour as Hour })
  await pool.end()
  await database.stop()
  if (!first.ok || first.adminKey === undefined) throw new Error('the first start was refused')
  return first.adminKey
}

async function serve(dataDir: string): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const settings = {
    PORT: '0',
    FARTHING_DATA_DIR: dataDir,
    FARTHING_BACKFILL_QUIET: '1s',
    FARTHING_GRACE: '0s',
  }
  const child = spawn(process.execPath, [PROGRAM, 'serve'], {
    env: surroundings(settings),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [output, errors] = ['', '']
  child.stderr.on('data', (text) => (errors += String(text)))
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (text) => {
      output += String(text)
      const ready = /ready at (\S+)\n/.exec(output)?.[1]
      if (ready) resolve(ready)
    })
    child.once('close', (code) => reject(new Error(`serve ended with ${code}: ${errors}`)))
  })
  return { child, url }
}
