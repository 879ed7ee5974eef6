import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Decimal } from 'decimal.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Block, blocksOf } from '../unit/scenarios-read.ts'
import { PROGRAM, surroundings } from './cli-run.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const README = readFileSync(join(ROOT, 'README.md'), 'utf8')
const MARKER = '----- the next block of the page -----'

/** Blocks that are run, each with the answer that the page promises. */
interface Step {
  readonly commands: string
  readonly answer: Block | undefined
}

function stepsOf(markdown: string): readonly Step[] {
  const blocks = blocksOf(markdown)
  return blocks.flatMap(({ info, content }, at): Step[] => {
    if (info !== 'sh run') return []
    const following = blocks[at + 1]
    return [{ commands: content, answer: following?.info.endsWith(' answer') ? following : undefined }]
  })
}

/** A clone as a user has it: the page's commands use these paths. The data is that of a first start. */
const home = mkdtempSync(join(tmpdir(), 'farthing-readme-'))
let stop: () => Promise<void>
let printed: readonly string[]

beforeAll(async () => {
  // As root PostgreSQL runs as another user, who must be able to enter.
  chmodSync(home, 0o711)
  for (const name of ['bin', 'samples']) symlinkSync(join(ROOT, name), join(home, name))
  const env = surroundings({ PORT: String(await freePort()), FARTHING_BACKFILL_QUIET: '10s' })
  stop = await serve(env)
  const script = stepsOf(README).map(({ commands }) => commands)
  const output = await bash(script.join(`\nprintf '%s\\n' '${MARKER}'\n`), env)
  printed = output.split(`${MARKER}\n`)
}, 300_000)

afterAll(async () => {
  await stop?.()
  rmSync(home, { recursive: true, force: true })
})

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}

/** `npm start`, without npm. @returns what stops it */
async function serve(env: NodeJS.ProcessEnv): Promise<() => Promise<void>> {
  const child = spawn(process.execPath, [PROGRAM, 'serve'], { cwd: home, env })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  let output = ''
  await new Promise<void>((resolve, reject) => {
    child.once('close', (code) => reject(new Error(`serve ended with ${code}: ${output}`)))
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => {
        output += String(text)
        if (output.includes('Farthing is ready at')) resolve()
      })
    }
  })
  return async () => {
    child.kill('SIGTERM')
    await ended
  }
}

async function bash(script: string, env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn('bash', ['-euo', 'pipefail', '-c', script], { cwd: home, env })
  let [output, errors] = ['', '']
  child.stdout.on('data', (text) => (output += String(text)))
  child.stderr.on('data', (text) => (errors += String(text)))
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`the commands of the page ended with ${String(code)}: ${errors}\n${output}`)
  return output
}

/** What the page shows, in which … stands for anything, and a line of … for any lines, or none. */
function patternOf(shown: string): RegExp {
  const escaped = shown.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const pattern = escaped.replaceAll(/^…\n/gm, '(?:[\\s\\S]*\n)?').replaceAll('…', '[\\s\\S]*')
  return new RegExp(`^${pattern}$`)
}

/** As `shown`, where the texts of both agree; so that a difference is seen at its place. */
function alike(shown: unknown, real: unknown): unknown {
  if (typeof shown === 'string' && typeof real === 'string') return patternOf(shown).test(real) ? shown : real
  if (Array.isArray(shown) && Array.isArray(real)) return real.map((item, at) => alike(shown[at], item))
  if (typeof shown !== 'object' || typeof real !== 'object' || shown === null || real === null) return real
  return Object.fromEntries(
    Object.entries(real).map(([name, value]) => [
      name,
      alike((shown as Record<string, unknown>)[name], value),
    ]),
  )
}

const STEPS = stepsOf(README)

test('the page has commands to run', () => {
  expect(STEPS.length).toBeGreaterThan(8)
  expect(printed).toHaveLength(STEPS.length)
})

for (const [at, { commands, answer }] of STEPS.entries()) {
  if (answer === undefined) continue
  test(`the page says what this answers: ${commands.split('\n')[0]}`, () => {
    const real = printed[at]!
    if (answer.info === 'json answer') {
      const shown = JSON.parse(answer.content) as unknown
      expect(alike(shown, JSON.parse(real))).toEqual(shown)
    } else if (!patternOf(answer.content.trim()).test(real.trim())) {
      expect(real.trim()).toBe(answer.content.trim())
    }
  })
}

test('the program of docs/proof.md proves the bill that the page shows', () => {
  const program = blocksOf(readFileSync(join(ROOT, 'docs/proof.md'), 'utf8')).find(
    ({ info }) => info === 'js check-bills.mjs',
  )!
  const files = ['check-bills.mjs', 'events.ndjson', 'bill.json'].map((name) => join(home, name))
  const events = STEPS.flatMap(({ commands }) => commands.split('\n')).filter((line) => /^\{.*\}$/.test(line))
  const bill = printed[STEPS.findIndex(({ commands }) => commands.startsWith('until'))]!
  for (const [at, text] of [program.content, events.join('\n'), bill].entries())
    writeFileSync(files[at]!, text)
  const { stdout } = spawnSync(process.execPath, files, { encoding: 'utf8' })
  expect([events.length, stdout]).toEqual([4, '2025-07-28T09Z.hello: proved\n'])
})

test('the bill by hand is right, and is the bill on the page', () => {
  const number = '([\\d,.]+)'
  const formulas = [...README.matchAll(new RegExp(`${number} x ${number} / ${number} = ${number}`, 'g'))]
  const amounts = formulas.map(([formula, ...texts]) => {
    const [used, price, per, amount] = texts.map((text) => new Decimal(text.replaceAll(',', '')))
    expect([formula, used!.times(price!).div(per!).toFixed()]).toEqual([formula, amount!.toFixed()])
    return amount!
  })
  const total = amounts.reduce((a, b) => a.plus(b)).toFixed()
  expect(amounts).toHaveLength(5)
  expect(README).toContain(`| | together | ${total} |`)
  expect(README).toMatch(new RegExp(`Total USD +${total}\\n`))
})

test('what the page says of npm start is so', () => {
  const { scripts, engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>
    readonly engines: Readonly<Record<string, string>>
  }
  expect(scripts['start']).toBe('node bin/farthing serve')
  expect(README).toContain(`Node.js ${engines['node']!.replace('>=', '')} or newer`)
})

test('an answer that differs is seen', () => {
  expect(patternOf('a … c').test('a b c')).toBe(true)
  expect(patternOf('a … c').test('a b d')).toBe(false)
  expect(['c', 'a\nc', 'a\nb\nc', 'b c'].map((real) => patternOf('…\nc').test(real))).toEqual([
    true,
    true,
    true,
    false,
  ])
  const shown = { id: 'key_…', list: [1, 'x'] }
  expect(alike(shown, { id: 'key_1', list: [1, 'x'] })).toEqual(shown)
  expect(alike(shown, { id: 'key_1', list: [1, 'y'] })).not.toEqual(shown)
  expect(alike(shown, { id: 'kex_1', list: [1, 'x'] })).not.toEqual(shown)
  expect(alike(shown, { id: 'key_1', list: [1, 'x'], more: 1 })).not.toEqual(shown)
})
