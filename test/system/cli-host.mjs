// Runs one command after the other in one process, as bin/farthing does in a process for each: see cli-host.ts. It
// speaks by IPC: {args, env, columns} comes in, {stdout, stderr, code} or {broken} goes out.
import { main } from '../../dist/src/main.js'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** What a command asks for with `process.exit`: it ends there. */
class Exited extends Error {
  constructor(code) {
    super(`process.exit(${code})`)
    this.code = code
  }
}

process.exit = (code) => {
  throw new Exited(code ?? process.exitCode ?? 0)
}

/** Keep what is written to a stream from now on. @returns what was written */
function keep(stream) {
  const chunks = []
  stream.write = (chunk, encoding, done = encoding) => {
    chunks.push(Buffer.from(chunk))
    if (typeof done === 'function') queueMicrotask(() => done())
    return true
  }
  return () => Buffer.concat(chunks).toString()
}

async function run({ args, env, columns }) {
  for (const name of Object.keys(process.env)) delete process.env[name]
  Object.assign(process.env, env)
  process.exitCode = undefined
  Object.assign(process.stdout, { isTTY: columns !== undefined, columns })
  const [stdout, stderr] = [keep(process.stdout), keep(process.stderr)]
  let code
  try {
    await main(args)
    code = process.exitCode ?? 0
  } catch (error) {
    if (!(error instanceof Exited)) throw error
    code = error.code
  }
  // Later commands add their own.
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error')
  for (const signal of SIGNALS) process.removeAllListeners(signal)
  return { stdout: stdout(), stderr: stderr(), code }
}

process.on('message', (command) => {
  void run(command)
    .catch((error) => ({ broken: String(error?.stack ?? error) }))
    .then((answer) => {
      process.exitCode = undefined
      process.send(answer)
    })
})
process.on('disconnect', () => process.reallyExit(0))
