import { spawn, spawnSync } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { remark } from '../../src/cli/terminal/terminal.ts'
import type { Connection } from '../../src/store/connect.ts'

/** The baselines' client: PostgreSQL's own, so that nothing of Farthing is in them. */
export async function findPsql(): Promise<void> {
  if (hasPsql()) return
  if (process.geteuid?.() === 0 && hasProgram('apt-get')) {
    remark('bench: installing postgresql-client, for psql')
    const options = {
      stdio: ['ignore', 2, 2] as const,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }
    spawnSync('apt-get', ['update', '-qq'], { ...options, stdio: [...options.stdio] })
    spawnSync('apt-get', ['install', '-qqy', 'postgresql-client'], { ...options, stdio: [...options.stdio] })
  }
  if (!hasPsql())
    throw new Error('psql is missing: install it, on Debian with apt-get install postgresql-client.')
}

function hasPsql(): boolean {
  return hasProgram('psql')
}

function hasProgram(name: string): boolean {
  return spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0
}

/**
 * Run commands by psql, with what they return sent to /dev/null.
 * @param lines SQL ended by semicolons, or psql's own commands; each on one line
 * @returns how long each of them took, in seconds, by psql's own clock: without its start
 */
export async function psql(connection: Connection, lines: readonly string[]): Promise<readonly number[]> {
  const { host, port, user, database } = connection
  const to = ['-h', host, '-p', String(port), '-U', user, '-d', database]
  const flags = ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-f', '-']
  // In a process group of its own: Ctrl-C ends the server's side first.
  const child = spawn('psql', [...to, ...flags], { env: { ...process.env, LC_ALL: 'C' }, detached: true })
  child.stdin.end(`\\timing on\n${lines.join('\n')}\n`)
  const [output, complaints] = await Promise.all([text(child.stdout), text(child.stderr), exitOf(child)])
  const seconds = readTimings(output)
  if (child.exitCode === 0 && seconds.length === lines.length) return seconds
  throw new Error(`psql failed: ${complaints.trim() || `${seconds.length} of ${lines.length} commands ran`}`)
}

function exitOf(child: ReturnType<typeof spawn>): Promise<void> {
  return new Promise((resolve, reject) => child.once('close', () => resolve()).once('error', reject))
}

/** `Time: 1234.567 ms (00:01.235)`, a line for each command. */
export function readTimings(output: string): readonly number[] {
  return Array.from(output.matchAll(/^Time: ([\d.]+) ms/gm), ([, ms]) => Number(ms) / 1000)
}
