import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Block, blocksOf } from '../../test/unit/scenarios-read.ts'

/**
 * "From an empty folder to a bill", as it stands in the README: its files, its commands, one terminal for each of the
 * server, the app and the rest. In place of npm's registry stand the packages of this repository.
 */

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const README = readFileSync(join(ROOT, 'sdk/README.md'), 'utf8')
const BLOCKS = blocksOf(README.slice(README.indexOf('## From an empty folder'), README.indexOf('## Use')))
const run = promisify(execFile)

let home: string
let shop: string
let env: NodeJS.ProcessEnv
const running: ChildProcess[] = []

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'farthing-first-bill-'))
  // As root PostgreSQL runs as another user, who must be able to enter.
  chmodSync(home, 0o711)
  shop = join(home, 'shop')
  mkdirSync(shop)
  const [port, appPort] = [await freePort(), await freePort()].map(String)
  const { FARTHING_KEY: _key, DATABASE_URL: _url, ...rest } = process.env
  env = { ...rest, FARTHING: ROOT, PORT: port, APP_PORT: appPort, FARTHING_URL: `http://127.0.0.1:${port}` }
})
afterAll(async () => {
  for (const child of running.reverse()) {
    child.kill('SIGTERM')
    await new Promise((resolve) => (child.exitCode === null ? child.once('close', resolve) : resolve(0)))
  }
  rmSync(home, { recursive: true, force: true })
})

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}

function block(info: string): Block {
  const found = BLOCKS.filter((one) => one.info === info)
  expect([info, found.length]).toEqual([info, 1])
  return found[0]!
}

const bash = (script: string) => run('bash', ['-euo', 'pipefail', '-c', script], { cwd: shop, env })

/** Starts what a terminal of its own is for, until it says that it is ready. */
async function start(script: string, ready: string): Promise<void> {
  const child = spawn('bash', ['-euo', 'pipefail', '-c', script], { cwd: shop, env })
  running.push(child)
  let output = ''
  await new Promise<void>((resolve, reject) => {
    child.once('close', (code) => reject(new Error(`it ended with ${code}: ${output}`)))
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => {
        output += String(text)
        if (output.includes(ready)) resolve()
      })
    }
  })
}

/** `npm pack` as the page has it, and then what `npm install` does, without a registry. */
async function install(): Promise<void> {
  const pack = BLOCKS.find(({ content }) => content.includes('npm pack'))!.content
  const [packing] = /^npm pack .*$/m.exec(pack)!
  await bash(packing)
  await bash('npm init -y && npm pkg set type=module')
  const package_ = join(shop, 'node_modules/@farthing/sdk')
  mkdirSync(package_, { recursive: true })
  const [, tarball] = /npm install (\S+\.tgz) express/.exec(pack)!
  await bash(`tar -xzf ${tarball} -C ${package_} --strip-components=1`)
  for (const name of ['express', '@types'])
    symlinkSync(join(ROOT, 'node_modules', name), join(shop, 'node_modules', name))
}

/** What shows as …, and how many blanks there are, may be anything. */
function patternOf(shown: string): RegExp {
  const escaped = shown.trim().replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${escaped.replaceAll('…', '[\\s\\S]*').replaceAll(/ +/g, ' +')}$`)
}

test('an empty folder, a web app and a price book give a bill of its own routes', async () => {
  await install()
  writeFileSync(join(shop, 'app.ts'), block('ts app.ts').content)
  writeFileSync(join(shop, 'prices.yaml'), block('yaml prices.yaml').content)
  // Its types are right, and it is run as what it compiles to.
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  const flags = '--ignoreConfig --module nodenext --target es2022 --strict --types node --outDir .'
  await bash(`${process.execPath} ${tsc} ${flags} app.ts`)

  const steps = BLOCKS.filter(({ info }) => info === 'sh run').map(({ content }) => content)
  expect(steps).toHaveLength(4)
  const [check, call, bill, byHand] = steps as [string, string, string, string]
  expect((await bash(check)).stdout + (await bash(check)).stderr).toContain('prices.yaml is fine')
  await start(block('sh server').content, 'Farthing is ready at')
  await start(
    block('sh app').content.replace('npx tsx app.ts', `exec ${process.execPath} app.js`),
    'The app listens.',
  )
  expect((await bash(call)).stdout).toBe('{"id":7}{"id":"7"}{"id":"8"}ok')
  const { stdout } = await bash(bill)
  const shown = block('text answer').content
  if (!patternOf(shown).test(stdout.trim())) expect(stdout).toBe(shown)
  expect(JSON.parse((await bash(byHand)).stdout)).toMatchObject({ accepted: 1, held: 0 })
})

test('the app has at most 30 lines', () => {
  expect(block('ts app.ts').content.trim().split('\n').length).toBeLessThanOrEqual(30)
})
