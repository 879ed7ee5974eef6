import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { commandHost } from './cli-host.ts'
import { PROGRAM, type Run, type RunOptions, surroundings } from './cli-run.ts'

/** A server in a process and a data directory of its own, as a user starts it. */
export interface ServerProcess {
  readonly url: string
  readonly dataDir: string
  /** Run a command that asks this server, with its admin key unless `env` says otherwise. */
  run(args: readonly string[], options?: RunOptions): Promise<Run>
  /** The same, and it must end with exit code 0. @returns its standard output */
  good(...args: readonly string[]): Promise<string>
  close(): Promise<void>
}

export async function serverProcess(env: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
  const home = mkdtempSync(join(tmpdir(), 'farthing-cli-'))
  // As root PostgreSQL runs as another user, who must be able to enter.
  chmodSync(home, 0o711)
  const dataDir = join(home, 'data')
  const settings = { PORT: '0', FARTHING_DATA_DIR: dataDir, FARTHING_BACKFILL_QUIET: '1s', ...env }
  const child = spawn(process.execPath, [PROGRAM, 'serve'], {
    env: surroundings(settings),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const url = await readyUrl(child)
  const host = commandHost()
  const run: ServerProcess['run'] = (args, options = {}) =>
    host.run(args, { ...options, env: { FARTHING_URL: url, FARTHING_DATA_DIR: dataDir, ...options.env } })
  return {
    url,
    dataDir,
    run,
    async good(...args) {
      const { code, stdout, stderr } = await run(args)
      if (code !== 0) throw new Error(`farthing ${args.join(' ')} ended with ${code}: ${stderr}`)
      return stdout
    },
    async close() {
      await host.close()
      const ended = new Promise((resolve) => child.once('close', resolve))
      child.kill('SIGTERM')
      await ended
      rmSync(home, { recursive: true, force: true })
    },
  }
}

function readyUrl(child: ChildProcess): Promise<string> {
  let output = ''
  let errors = ''
  return new Promise((resolve, reject) => {
    child.stderr!.on('data', (text) => (errors += String(text)))
    child.stdout!.on('data', (text) => {
      output += String(text)
      const url = /ready at (\S+)\n/.exec(output)?.[1]
      if (url) resolve(url)
    })
    child.once('close', (code) => reject(new Error(`serve ended with ${code}: ${errors}`)))
  })
}

/** What happens to one request: passed on, answered with a status, cut off before or after the server has it. */
export type Mishap = 'pass' | 'cut' | 'cut after' | 429 | 503

/** A way to the server on which things go wrong: the first requests meet what `mishaps` says, then none. */
export async function unreliable(
  target: string,
  mishaps: readonly Mishap[],
): Promise<{ readonly url: string; readonly requests: () => number; readonly server: Server }> {
  let requests = 0
  const server = createServer((incoming, answer) => {
    const mishap = mishaps[requests++] ?? 'pass'
    if (mishap === 'cut') return void incoming.socket.destroy()
    if (typeof mishap === 'number') {
      const body = {
        type: 'about:blank',
        status: mishap,
        code: 'ingest/overloaded',
        detail: 'Busy: try again.',
      }
      answer.writeHead(mishap, { 'content-type': 'application/problem+json', 'retry-after': '0' })
      incoming.resume().on('end', () => answer.end(JSON.stringify(body)))
      return
    }
    const { method, url, headers } = incoming
    const outgoing = request(target + url!, { method: method!, headers }, (from) => {
      if (mishap === 'cut after') return void incoming.socket.destroy()
      answer.writeHead(from.statusCode!, from.headers)
      from.pipe(answer)
    })
    incoming.pipe(outgoing)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, requests: () => requests, server }
}
