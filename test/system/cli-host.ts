import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { farthing, type Run, type RunOptions, surroundings } from './cli-run.ts'

const HOST = fileURLToPath(new URL('cli-host.mjs', import.meta.url))
const PREPARE = fileURLToPath(new URL('../../bin/prepare.mjs', import.meta.url))

/**
 * Runs commands. The first of a kind has a process of its own, as a user's has, and so has what reads its input or gets
 * a signal. Later ones share one process, one after the other: the same program with other arguments.
 */
export interface CommandHost {
  run(args: readonly string[], options?: RunOptions): Promise<Run>
  close(): Promise<void>
}

/** Their output may be bytes, and what becomes of their process matters. */
const ALWAYS_ALONE: readonly string[] = ['backup', 'restore', 'serve']

/** What a command is known by: `keys list` of `keys list --json`. */
function kindOf(args: readonly string[]): string {
  return args
    .slice(0, 2)
    .filter((arg) => /^[a-z-]+$/.test(arg))
    .join(' ')
}

/** Starting a process takes half a second of a core, which is most of what a command takes. */
export function commandHost(): CommandHost {
  const seen = new Set<string>()
  let host: ChildProcess | undefined
  let last: Promise<unknown> = Promise.resolve()
  const inHost = async (args: readonly string[], { env = {}, columns }: RunOptions): Promise<Run> => {
    if (!host) {
      // It loads what is compiled, which must be of the sources that are here now.
      execFileSync(process.execPath, [PREPARE])
      host = fork(HOST, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'advanced' })
    }
    const answered = new AbortController()
    const ended = once(host, 'exit', answered).then((): never => {
      throw new Error(`the process of commands ended in farthing ${args.join(' ')}`)
    })
    const message = once(host, 'message', answered)
    host.send({ args, env: definite(surroundings(env)), columns })
    const [answer] = (await Promise.race([message, ended]).finally(() => answered.abort())) as [
      Run | { readonly broken: string },
    ]
    if ('broken' in answer) throw new Error(`farthing ${args.join(' ')}: ${answer.broken}`)
    return answer
  }
  return {
    run(args, options = {}) {
      const kind = kindOf(args)
      const isOfItsProcess = options.signal !== undefined || options.input !== undefined
      const isAlone = !seen.has(kind) || ALWAYS_ALONE.includes(args[0]!)
      if (isOfItsProcess || (isAlone && options.columns === undefined)) {
        seen.add(kind)
        return farthing(args, options)
      }
      // One at a time: they share the environment.
      const mine = last.then(() => inHost(args, options))
      last = mine.catch(() => {})
      return mine
    },
    async close() {
      if (!host || host.exitCode !== null) return
      const ended = once(host, 'exit')
      host.disconnect()
      await ended
    },
  }
}

function definite(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}
