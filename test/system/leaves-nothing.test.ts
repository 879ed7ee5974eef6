import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

// Guarantee: a run of the tests leaves nothing in the temporary folder, whatever becomes of it.

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const VITEST = join(ROOT, 'node_modules/vitest/vitest.mjs')
/** Makes folders that it does not remove by itself, and databases. */
const LEAVING = 'test/system/late.test.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'n-'))
  chmodSync(folder, 0o1777)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function startRun(...args: readonly string[]): ChildProcess {
  const own = Object.entries(process.env).filter(([name]) => !/^(?:VITEST|NODE_ENV$|TEST$)/.test(name))
  const env = { ...Object.fromEntries(own), TMPDIR: folder }
  return spawn(process.execPath, [VITEST, 'run', ...args], { cwd: ROOT, env, stdio: 'ignore' })
}

function ended(run: ChildProcess): Promise<number | string | null> {
  return new Promise((resolve) => run.once('exit', (code, signal) => resolve(code ?? signal)))
}

/** Until the run has begun to make folders. */
async function begun(): Promise<void> {
  await expect
    .poll(
      () => readdirSync(folder, { recursive: true }).some((path) => String(path).includes('farthing-late')),
      {
        timeout: 60_000,
      },
    )
    .toBe(true)
}

test('a run that passes', async () => {
  expect(await ended(startRun('--project', 'system', LEAVING))).toBe(0)
  expect(readdirSync(folder)).toEqual([])
})

test('a run that fails', async () => {
  expect(await ended(startRun('--project', 'system', LEAVING, '--testTimeout', '1'))).toBe(1)
  expect(readdirSync(folder)).toEqual([])
})

test('a run of unit tests', async () => {
  expect(await ended(startRun('--project', 'unit', 'test/unit/backup-damage.test.ts'))).toBe(0)
  expect(readdirSync(folder)).toEqual([])
})

test.each(['SIGINT', 'SIGTERM'] as const)('a run that is interrupted by %s', async (signal) => {
  const run = startRun('--project', 'system', LEAVING)
  const end = ended(run)
  await begun()
  run.kill(signal)
  await end
  expect(readdirSync(folder)).toEqual([])
})
