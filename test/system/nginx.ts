import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { installProgram } from './installed-program.ts'

/** A real nginx with logs of its own. */
export interface Nginx {
  readonly port: number
  readonly folder: string
  /** Have it open its logs again, as after a rotation, and wait until they are there. */
  reopen(...logs: readonly string[]): Promise<void>
  /** Wait until a log has so many lines, and give them. */
  linesOf(log: string, count: number): Promise<readonly string[]>
  close(): Promise<void>
}

/**
 * @param http of the configuration, inside of `http { … }`; PORT stands for the port, and logs are in FOLDER
 */
export async function startNginx(http: string): Promise<Nginx> {
  installProgram('nginx', '-v', 'nginx-light')
  const folder = mkdtempSync(join(tmpdir(), 'farthing-nginx-'))
  chmodSync(folder, 0o755)
  const port = await freePort()
  const inside = http.replaceAll('PORT', String(port)).replaceAll('FOLDER', folder)
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  )
  const config = `daemon off; pid ${folder}/pid; error_log ${folder}/error.log; worker_processes 1;
    events {} http { ${paths.join(' ')} ${inside} }`
  writeFileSync(join(folder, 'nginx.conf'), config)
  const child = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: 'ignore' })
  await untilTrue(() => existsSync(join(folder, 'pid')) || child.exitCode !== null)
  if (child.exitCode !== null) throw new Error(`nginx: ${readFileSync(join(folder, 'error.log'), 'utf8')}`)
  return {
    port,
    folder,
    async reopen(...logs) {
      child.kill('SIGUSR1')
      await untilTrue(() => logs.every((log) => existsSync(join(folder, log))))
    },
    async linesOf(log, count) {
      const read = () => readFileSync(join(folder, log), 'utf8').split('\n').slice(0, -1)
      await untilTrue(() => read().length >= count)
      return read()
    },
    close: () => end(child, folder),
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

export async function untilTrue(isSo: () => boolean | Promise<boolean>, patienceMs = 10_000): Promise<void> {
  for (const begin = performance.now(); !(await isSo()); await sleep(20)) {
    if (performance.now() - begin > patienceMs)
      throw new Error(`not so after ${patienceMs} ms: ${String(isSo)}`)
  }
}

async function end(child: ChildProcess, folder: string): Promise<void> {
  const ended = new Promise((resolve) => child.once('close', resolve))
  child.kill('SIGTERM')
  await ended
  rmSync(folder, { recursive: true, force: true })
}
