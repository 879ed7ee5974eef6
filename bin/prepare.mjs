// Makes a fresh clone runnable: packages installed, dist/ compiled from the sources that are here now.
//
//   node bin/prepare.mjs           install and build what is missing or stale
//   node bin/prepare.mjs --check   … then format, lint, types, dead code and the unit tests
//   node bin/prepare.mjs --test    … then everything that CI runs
//
// Plain JavaScript without packages: it runs before anything is installed.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const NODE_FLOOR = [20, 19]
/** Commands that compile at the same moment, and take turns. */
const SWAPS_MAX = 100

/** Install packages and compile, each only if its inputs changed. Prints only when it has work to do. */
export function prepare() {
  requireNode()
  install()
  build()
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > NODE_FLOOR[0] || (major === NODE_FLOOR[0] && minor >= NODE_FLOOR[1])) return
  fail(`Farthing needs Node.js ${NODE_FLOOR.join('.')} or newer; this is ${process.versions.node}.`)
}

function install() {
  const stamp = join(ROOT, 'node_modules/.farthing-lock')
  const wanted = digest([join(ROOT, 'package-lock.json')])
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  say('installing packages (once)…')
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
  writeFileSync(stamp, wanted)
}

function build() {
  buildServer()
  buildSdk()
}

function buildServer() {
  const sources = ['src', 'bench'].flatMap((folder) => filesBelow(join(ROOT, folder)))
  const inputs = [...sources, join(ROOT, 'tsconfig.base.json'), join(ROOT, 'tsconfig.build.json')]
  const wanted = digest([...inputs, join(ROOT, 'package-lock.json')])
  compile('tsconfig.build.json', join(ROOT, 'dist'), wanted, (fresh) => {
    for (const file of sources.filter((name) => name.endsWith('.sql'))) {
      const target = join(fresh, relative(ROOT, file))
      mkdirSync(dirname(target), { recursive: true })
      cpSync(file, target)
    }
  })
}

/** The SDK as it is published: JavaScript and types. */
function buildSdk() {
  const config = join(ROOT, 'sdk/tsconfig.build.json')
  const inputs = [...filesBelow(join(ROOT, 'sdk/src')), join(ROOT, 'tsconfig.base.json'), config]
  const wanted = digest([...inputs, join(ROOT, 'package-lock.json')])
  compile('sdk/tsconfig.build.json', join(ROOT, 'sdk/dist'), wanted, () => {})
}

let isCompiling = false

/** Compile what `config` names to `dist`, unless that was made of the same inputs (`wanted` is their digest). */
function compile(config, dist, wanted, addOthers) {
  const stamp = join(dist, '.sources')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  if (!isCompiling) say('compiling…')
  isCompiling = true
  // Compiled beside dist/ and swapped in, so that two commands started at once never run half a build.
  const fresh = join(ROOT, `node_modules/.farthing-dist-${process.pid}`)
  process.on('exit', () => rmSync(fresh, { recursive: true, force: true }))
  run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', config, '--outDir', fresh])
  addOthers(fresh)
  writeFileSync(join(fresh, '.sources'), wanted)
  swapIn(fresh, dist)
}

/** Put a folder in the place of another, even if another process does the same at this moment: one of them stays, whole. */
function swapIn(fresh, place) {
  const old = `${fresh}-old`
  for (let attempt = 1; ; attempt++) {
    try {
      if (existsSync(place)) renameSync(place, old)
      renameSync(fresh, place)
      break
    } catch (error) {
      if (attempt === SWAPS_MAX || !['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(error.code)) throw error
    }
  }
  rmSync(old, { recursive: true, force: true })
}

function filesBelow(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

function digest(files) {
  const hash = createHash('sha256')
  for (const file of files)
    hash.update(relative(ROOT, file)).update('\0').update(readFileSync(file)).update('\0')
  return hash.digest('hex')
}

function run(command, args) {
  // The output of tools goes to stderr: stdout belongs to the command that the user asked for.
  const { status, error } = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 2, 2] })
  if (error || status !== 0)
    fail(`${[command, ...args].join(' ')} failed${error ? `: ${error.message}` : ''}`)
}

function say(text) {
  process.stderr.write(`farthing: ${text}\n`)
}

function fail(text) {
  say(text)
  process.exit(1)
}

const CHECK = [
  ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'],
  ['node_modules/typescript/bin/tsc', '-p', 'src/core'],
  ['node_modules/typescript/bin/tsc', '-p', 'sdk/src'],
  ['node_modules/typescript/bin/tsc', '-p', '.'],
  ['node_modules/oxlint/bin/oxlint', '--type-aware', '--deny-warnings'],
  ['node_modules/knip/bin/knip.js'],
  ['node_modules/vitest/vitest.mjs', 'run', '--project', 'unit'],
]
const REST = [['node_modules/vitest/vitest.mjs', 'run', '--project', 'system']]

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  prepare()
  const steps = process.argv.includes('--test')
    ? [...CHECK, ...REST]
    : process.argv.includes('--check')
      ? CHECK
      : []
  for (const step of steps) {
    const { status } = spawnSync(process.execPath, step, { cwd: ROOT, stdio: 'inherit' })
    if (status !== 0) process.exit(status ?? 1)
  }
}
