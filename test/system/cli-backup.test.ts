import { type ChildProcess, spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { farthing, PROGRAM, type Run, surroundings } from './cli-run.ts'
import { serverProcess, type ServerProcess } from './cli-server.ts'

const SAMPLE = new URL('../../samples/imm-day.ndjson.gz', import.meta.url).pathname

let server: ServerProcess
let folder: string
let file: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'farthing-cli-backup-'))
  // As root PostgreSQL runs as another user, who must be able to enter.
  chmodSync(folder, 0o711)
  file = join(folder, 'farthing.backup')
  server = await serverProcess()
  await server.good('import', SAMPLE)
  await server.good('backup', file)
})
afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

let homes = 0
/** A data directory that is not there yet. */
function newHome(): string {
  return join(folder, `data-${(homes += 1)}`)
}

function restore(dataDir: string, ...args: readonly string[]): Promise<Run> {
  return farthing(['restore', ...args], { env: { FARTHING_DATA_DIR: dataDir } })
}

test('a backup is made beside the running server, and restored into a new data directory', async () => {
  const again = await server.run(['backup', file, '--json'])
  expect(again.code).toBe(0)
  const summary = JSON.parse(again.stdout) as { rows: number; sha256: string }
  const checked = await farthing(['backup', '--check', file])
  expect(checked).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^The backup is whole: [\d,]+ rows of /),
  })
  const home = newHome()
  const restored = await restore(home, file, '--verify')
  expect(restored.stdout).toMatch(
    /^Restored [\d,]+ rows .*\nThe admin key [^]*\nRecomputed 224 bills over 24 hours: no differences/,
  )
  expect(restored.code).toBe(0)
  expect(statSync(join(home, 'admin-key')).mode & 0o777).toBe(0o600)
  const other = await serverProcess({ FARTHING_DATA_DIR: home })
  const [old, mine] = await Promise.all([
    server.good('bills', '--limit', 'all', '--json'),
    farthing(['bills', '--limit', 'all', '--json'], {
      env: { FARTHING_URL: other.url, FARTHING_DATA_DIR: home },
    }),
  ])
  await other.close()
  expect(mine).toEqual({ stdout: old, stderr: mine.stderr, code: 0 })
  expect(old.split('\n')).toHaveLength(225)
  expect(summary.sha256).toMatch(/^[0-9a-f]{64}$/)
})

test('a backup goes through a pipe', async () => {
  const home = newHome()
  const quoted = [process.execPath, PROGRAM].map((part) => `'${part}'`).join(' ')
  const script = `${quoted} backup - | FARTHING_DATA_DIR='${home}' ${quoted} restore - --json`
  const child = spawn('bash', ['-o', 'pipefail', '-c', script], {
    env: surroundings({ FARTHING_DATA_DIR: server.dataDir }),
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let output = ''
  child.stdout.on('data', (text) => (output += String(text)))
  expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0)
  expect(JSON.parse(output)).toMatchObject({ adminKeyPath: join(home, 'admin-key') })
})

test('a pipe whose reader goes away is no backup: the exit code is 1', async () => {
  const quoted = [process.execPath, PROGRAM].map((part) => `'${part}'`).join(' ')
  const child = spawn('bash', ['-o', 'pipefail', '-c', `${quoted} backup - | head -c 10`], {
    env: surroundings({ FARTHING_DATA_DIR: server.dataDir }),
    stdio: 'ignore',
  })
  expect(await new Promise((resolve) => child.on('close', resolve))).toBe(1)
})

test('the digest of a backup can be made without Farthing', async () => {
  const lines = gunzipSync(readFileSync(file)).toString().trimEnd().split('\n')
  const last = lines.at(-1)!
  const sum = spawn('bash', ['-c', `gunzip -c '${file}' | head -n -1 | sha256sum`])
  let output = ''
  sum.stdout.on('data', (text) => (output += String(text)))
  await new Promise((resolve) => sum.on('close', resolve))
  expect(JSON.parse(last)).toEqual({ sha256: output.split(' ')[0] })
})

describe('what cannot be written', () => {
  for (const [name, path, says] of [
    ['a full disk', () => '/dev/full', '/dev/full cannot be written (the disk is full): free some space'],
    ['a folder that is not there', () => join(folder, 'none/a.backup'), 'cannot be written (ENOENT'],
    ['a folder', () => folder, 'cannot be written (EISDIR'],
  ] as const) {
    test(`${name}: one line says why`, async () => {
      const run = await server.run(['backup', path()])
      expect(run).toMatchObject({ code: 1, stdout: '' })
      expect(run.stderr).toContain(says)
      expect(run.stderr).not.toContain(' at ')
    })
  }

  test('a device stays a device, and a link a link', async () => {
    const link = join(folder, 'link.backup')
    symlinkSync(join(folder, 'linked.backup'), link)
    writeFileSync(join(folder, 'linked.backup'), '')
    await server.good('backup', '/dev/null')
    await server.good('backup', link)
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true)
    expect((await farthing(['backup', '--check', join(folder, 'linked.backup')])).code).toBe(0)
  })
})

/** What becomes of a process that is stopped in the middle and then gets a signal. */
function signalled(child: ChildProcess, signal: NodeJS.Signals): Promise<Pick<Run, 'stderr' | 'code'>> {
  let stderr = ''
  child.stderr!.on('data', (text) => (stderr += String(text)))
  child.kill(signal)
  child.kill('SIGCONT')
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stderr })))
}

function unfinished(path: string): readonly string[] {
  return readdirSync(folder).filter((name) => join(folder, name).startsWith(`${path}.unfinished`))
}

/** A backup that was stopped when a part of it was on disk. One that was too quick is tried again. */
async function backingUp(path: string): Promise<ChildProcess> {
  for (let tries = 0; tries < 20; tries++) {
    const child = spawn(process.execPath, [PROGRAM, 'backup', path], {
      env: surroundings({ FARTHING_DATA_DIR: server.dataDir }),
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const inTheMiddle = () => unfinished(path).some((name) => statSync(join(folder, name)).size > 0)
    while (child.exitCode === null && !inTheMiddle()) await sleep(1)
    child.kill('SIGSTOP')
    if (child.exitCode === null && inTheMiddle()) return child
    writeFileSync(path, 'the backup of yesterday')
  }
  throw new Error('every backup was quicker')
}

/** A restore that has loaded a part, and waits for the rest. */
function restoring(home: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [PROGRAM, 'restore', '-'], {
    env: surroundings({ FARTHING_DATA_DIR: home }),
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  child.stdin.on('error', () => {})
  child.stdin.write(readFileSync(file).subarray(0, statSync(file).size * 0.9))
  return new Promise((resolve) => {
    child.stderr.on('data', (text) => {
      if (/restored [1-9][\d,]+ rows/.test(String(text))) resolve(child)
    })
  })
}

describe('what is stopped or killed in the middle', () => {
  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    test(`a backup, with ${signal}: the one that was there stays`, async () => {
      const path = join(folder, `${signal}.backup`)
      writeFileSync(path, 'the backup of yesterday')
      const child = await backingUp(path)
      const { code, stderr } = await signalled(child, signal)
      expect(code).toBe(signal === 'SIGINT' ? 130 : null)
      if (signal === 'SIGINT') expect(stderr).toContain('farthing: Stopped: there is no backup.\n')
      expect(readFileSync(path, 'utf8')).toBe('the backup of yesterday')
      expect(unfinished(path)).toHaveLength(signal === 'SIGINT' ? 0 : 1)
    })

    test(`a restore, with ${signal}: nothing is restored, and it can be run again`, async () => {
      const home = newHome()
      const child = await restoring(home)
      const { code, stderr } = await signalled(child, signal)
      expect(code).toBe(signal === 'SIGINT' ? 130 : null)
      if (signal === 'SIGINT') expect(stderr).toContain('farthing: Stopped: nothing was restored.\n')
      const verified = await farthing(['verify'], { env: { FARTHING_DATA_DIR: home } })
      expect(verified.stderr).toContain('There is nothing of Farthing in the database')
      expect(await restore(home, file, '--verify')).toMatchObject({ code: 0 })
    })
  }
})

describe('a restore that is refused', () => {
  test('beside the running server: it has its own data', async () => {
    const run = await restore(server.dataDir, file)
    expect(run).toMatchObject({ code: 1, stdout: '' })
    expect(run.stderr).toContain('a backup replaces nothing: set FARTHING_DATA_DIR to a new directory')
  })

  test('of a damaged file: nothing is restored', async () => {
    const damaged = join(folder, 'damaged.backup')
    writeFileSync(damaged, readFileSync(file))
    truncateSync(damaged, statSync(file).size - 100)
    const home = newHome()
    const [named, piped] = [
      await restore(home, damaged),
      await farthing(['restore', '-'], { env: { FARTHING_DATA_DIR: home }, input: readFileSync(damaged) }),
    ]
    for (const run of [named, piped]) {
      expect(run).toMatchObject({ code: 1, stdout: '' })
      expect(run.stderr).toContain('The backup is cut off: use another copy of it.')
    }
    expect(existsSync(join(home, 'admin-key'))).toBe(false)
    expect((await restore(home, file)).code).toBe(0)
  })

  for (const [name, args, code, says] of [
    ['a file that is not there', ['restore', 'none.backup'], 1, 'none.backup cannot be read'],
    ['a file that is no backup', ['restore', SAMPLE], 1, 'The file is no backup of Farthing'],
    ['no file', ['restore'], 2, "missing required argument 'file'"],
    ['a check of no backup', ['backup', '--check', SAMPLE], 1, 'The file is no backup of Farthing'],
    ['JSON in the middle of a backup', ['backup', '-', '--json'], 2, 'leave out one of them'],
  ] as const) {
    test(`${name}: says why`, async () => {
      const run = await farthing(args, { env: { FARTHING_DATA_DIR: newHome() } })
      expect(run).toMatchObject({ code, stdout: '' })
      expect(run.stderr).toContain(says)
    })
  }

  test('without data: what to do, and nothing is made', async () => {
    const home = newHome()
    mkdirSync(home)
    const path = join(folder, 'nothing.backup')
    const run = await farthing(['backup', path], { env: { FARTHING_DATA_DIR: join(home, 'data') } })
    expect(run.stderr).toContain('There is nothing of Farthing in')
    expect([run.code, existsSync(path), readdirSync(home)]).toEqual([1, false, []])
  })
})
