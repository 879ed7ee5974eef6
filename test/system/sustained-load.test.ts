import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

// Guarantee: half a minute of steady load from two keys, with requests that are sent twice, while twelve hours pass and are
// settled: each event that was answered is on a bill once, account by account. How fast it was is told by
// `npm run bench -- sustained`, and asserted nowhere.

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, '../..')
const SECONDS = 30

interface Report {
  readonly parts: readonly {
    readonly figures: readonly { readonly name: string; readonly median: number }[]
  }[]
}

test('half a minute of load: nothing is lost or doubled, and memory stays within bounds', async () => {
  const { execPath } = process
  await run(execPath, [join(ROOT, 'bin/prepare.mjs')])
  const args = [join(ROOT, 'dist/bench/main.js'), 'sustained', '--seconds', String(SECONDS), '--json']
  const { stdout } = await run(execPath, args)
  const { parts } = JSON.parse(stdout) as Report
  const figures = new Map(parts[0]!.figures.map(({ name, median }) => [name, median]))
  expect(figures.get('accounts with too few or too many')).toBe(0)
  // Even on a machine that is kept busy by others.
  expect(figures.get('events on bills')).toBeGreaterThan(10_000)
  expect(figures.get('events sent twice')).toBeGreaterThan(0)
  const [first, second] = ['first', 'second'].map((half) => {
    return figures.get(`memory of Farthing, most in the ${half} half`)!
  })
  expect(second).toBeLessThan(1.5 * first!)
  expect(second).toBeLessThan(600)
}, 300_000)
