import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('spool-child.mjs', import.meta.url))

export interface Counting {
  readonly url: string
  readonly key: string
  readonly source: string
  readonly account: string
  readonly batchMs?: number
  readonly aggregate?: boolean
  readonly aggregateKeys?: number
  readonly calls: number
  readonly pauseMs?: number
  readonly folder?: string
  readonly fsync?: 'never' | 'always'
  readonly flushEvery?: number
  /** Close in the end, for so many milliseconds. */
  readonly close?: number
  /** How many projects the calls are spread over. */
  readonly files?: number
  /** What the process may write to a file at most, in KiB: beyond that a write fails, in its middle. */
  readonly fileKiB?: number
  /** In the end: nothing, so that the process ends by itself; or wait for a signal. */
  readonly ending?: 'at once' | 'on signals'
}

export interface CountingProcess {
  readonly child: ChildProcess
  readonly lines: () => readonly string[]
  /** How many lines begin so. */
  readonly count: (start: string) => number
  /** When so many lines begin so; rejects if the process ends before. */
  readonly until: (start: string, lines?: number) => Promise<void>
  /** kill -9, and waits for the end. */
  readonly kill: () => Promise<void>
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>
}

/** A process that counts calls with the SDK as it is published. */
export function countingProcess({ fileKiB, ...counting }: Counting): CountingProcess {
  const argument = JSON.stringify({ files: 2, ...counting })
  // bash sets the limit, and is replaced by node, so that the kill meets node.
  const limit = fileKiB === undefined ? '' : `ulimit -f ${fileKiB}; `
  const command = `${limit}exec "$0" "$1" "$2"`
  const child = spawn('bash', ['-c', command, process.execPath, SCRIPT, argument], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [output, errors] = ['', '']
  child.stdout.on('data', (text) => (output += String(text)))
  child.stderr.on('data', (text) => (errors += String(text)))
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.once('close', (code, signal) => resolve(code ?? signal)),
  )
  let isOver = false
  void ended.then(() => (isOver = true))
  const lines = () => output.split('\n')
  const count = (start: string) => lines().filter((line) => line.startsWith(start)).length
  return {
    child,
    lines,
    count,
    async until(start, wanted = 1) {
      while (count(start) < wanted) {
        if (isOver) throw new Error(`the process has ended: ${output.slice(-500)} ${errors}`)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
    ended,
  }
}
