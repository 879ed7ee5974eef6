import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const PROGRAM = fileURLToPath(new URL('../../bin/farthing', import.meta.url))

export interface Run {
  readonly stdout: string
  readonly stderr: string
  readonly code: number | null
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string | Buffer
  /** A terminal of so many columns; undefined: none. Only in a shared process: see cli-host.ts. */
  readonly columns?: number
  /** Sent once something was written to stderr that matches. */
  readonly signal?: { readonly name: NodeJS.Signals; readonly after: RegExp }
}

/** The environment of this process without what would configure Farthing, and with `env`. */
export function surroundings(env: Readonly<Record<string, string>>): Record<string, string | undefined> {
  const own = Object.entries(process.env).filter(([name]) => !/^(?:FARTHING_|DATABASE_URL$|PORT$)/.test(name))
  return { ...Object.fromEntries(own), ...env }
}

/** Run `bin/farthing` as a user does, to its end. */
export function farthing(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const { env = {}, input = '', signal } = options
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: surroundings(env),
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    if (signal && !child.killed && signal.after.test(stderr)) child.kill(signal.name)
  })
  // A command that does not read its input may be gone before it is written.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ stdout, stderr, code }))
  })
}
