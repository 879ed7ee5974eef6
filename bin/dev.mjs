// `npm run dev`: the server, started again whenever a source or the price book changes.
import { spawn } from 'node:child_process'
import { watch } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const WATCHED = ['src', 'price-books']
/** Editors write several files at once. */
const QUIET_MS = 300

let server
let timer
let stopping = false

function start() {
  server = spawn(process.execPath, [join(ROOT, 'bin/farthing'), 'serve', ...process.argv.slice(2)], {
    stdio: 'inherit',
  })
  server.on('exit', () => (server = undefined))
}

function restart() {
  if (stopping) return
  process.stderr.write('dev: a source has changed, starting again\n')
  if (!server) return start()
  server.once('exit', () => {
    if (!stopping) start()
  })
  server.kill('SIGTERM')
}

function stop(signal) {
  stopping = true
  if (!server) process.exit(0)
  server.once('exit', (code) => process.exit(code ?? 0))
  server.kill(signal)
}

for (const folder of WATCHED) {
  watch(join(ROOT, folder), { recursive: true }, () => {
    clearTimeout(timer)
    timer = setTimeout(restart, QUIET_MS)
  })
}
process.on('SIGINT', () => stop('SIGINT'))
process.on('SIGTERM', () => stop('SIGTERM'))
start()
