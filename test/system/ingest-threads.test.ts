import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { makeIngestThreads } from '../../src/threads/ingest-threads.ts'
import { requestEvent, testServer } from './http-server.ts'
import { CountedThreads } from './ingest-threads.ts'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const THREADS = 'dist/src/threads/ingest-threads.js'

/** A module for a thread. */
const module = (code: string) => new URL(`data:text/javascript,${encodeURIComponent(code)}`)

const large = (source: string) => Array.from({ length: 500 }, (_, id) => requestEvent(String(id), { source }))

test('while no thread can be started the server itself takes large deliveries, and says so once', async () => {
  let threads: CountedThreads
  const failing = module('throw new Error("no thread today")')
  const server = await testServer({
    large: (...of) => (threads = new CountedThreads(...of, { worker: failing })),
  })
  try {
    expect((await server.send(large('first'))).json).toMatchObject({ accepted: 500 })
    while (server.logged.length === 0) await sleep(10)
    expect((await server.send(large('second'))).json).toMatchObject({ accepted: 500 })
    await sleep(300)
    expect(server.logged).toMatchObject([
      { level: 'warn', text: 'Threads for large deliveries were not started: the main thread takes them' },
    ])
    expect(threads!.taken).toBe(0)
  } finally {
    await threads!.threads.close()
    await server.close()
  }
})

test('large deliveries that come before the threads are ready wait for them', async () => {
  let threads: CountedThreads
  const server = await testServer({ large: (...of) => (threads = new CountedThreads(...of)) })
  try {
    const sources = ['a', 'b', 'c', 'd']
    const answers = await Promise.all(sources.map((source) => server.send(large(source))))
    expect(answers.map(({ json }) => json.accepted as number)).toEqual(sources.map(() => 500))
    expect(threads!.taken).toBe(sources.length)
  } finally {
    await threads!.threads.close()
    await server.close()
  }
})

test('when the threads take long to start the server itself takes what has waited for them', async () => {
  let threads: CountedThreads
  const slow = module(`
    import { parentPort } from 'node:worker_threads'
    const refusal = { kind: 'problem', code: 'ingest/overloaded', detail: 'too late', headers: {} }
    parentPort.on('message', ({ kind, number }) => {
      if (kind === 'close') parentPort.close()
      else parentPort.postMessage({ ...refusal, number })
    })
    setTimeout(() => parentPort.postMessage({ kind: 'ready' }), 2_000)`)
  const options = { worker: slow, awaitedMs: 100 }
  const server = await testServer({ large: (...of) => (threads = new CountedThreads(...of, options)) })
  try {
    for (const source of ['first', 'second'])
      expect((await server.send(large(source))).json).toMatchObject({ accepted: 500 })
    expect([threads!.taken, server.logged]).toEqual([0, []])
  } finally {
    await threads!.threads.close()
    await server.close()
  }
})

test('on one core there are none', async () => {
  const fail = (_: object, text: string) => expect.fail(text)
  const log = { info() {}, warn: fail, error: fail }
  const setup = {
    database: undefined!,
    taken: 'any',
    sessions: 2,
  } as const
  const threads = makeIngestThreads(setup, { log, cores: 1, worker: module('throw new Error("started")') })
  const sent = { headers: {}, rawHeaders: [], body: Buffer.alloc(0), boundAccount: undefined }
  expect(threads.take(sent)).toBeUndefined()
  await threads.close()
})

/** A process whose thread is ready, and then comes to this end when it is given something. */
async function processWhoseThread(end: string): Promise<{ readonly code: number; readonly stderr: string }> {
  const worker = module(`
    import { parentPort } from 'node:worker_threads'
    parentPort.on('message', () => { ${end} })
    parentPort.postMessage({ kind: 'ready' })`)
  const main = `
    import { makeIngestThreads } from '${pathToFileURL(join(ROOT, THREADS)).href}'
    const log = { info() {}, warn: console.error, error: console.error }
    const threads = makeIngestThreads({}, { log, cores: 2, worker: new URL(${JSON.stringify(worker.href)}) })
    const sent = () => ({ headers: {}, rawHeaders: [], body: Buffer.alloc(70_000) })
    setInterval(() => {}, 1_000)
    threads.take(sent())?.catch(console.error)`
  try {
    await run(process.execPath, ['--input-type=module', '--eval', main])
    return { code: 0, stderr: '' }
  } catch (error) {
    return error as { code: number; stderr: string }
  }
}

test.each([
  ['fails with a bug', 'setImmediate(() => { throw new Error("a bug of ours") })', /a bug of ours/],
  ['ends', 'process.exit(0)', /a thread for large deliveries has ended/],
])('a thread that %s ends the process, as a bug of the main thread would', async (_, end, said) => {
  const { code, stderr } = await processWhoseThread(end)
  expect([code, stderr]).toEqual([1, expect.stringMatching(said)])
})

test('no thread has other sources than its process: those that were compiled again wait for its next start', async () => {
  const home = mkdtempSync(join(tmpdir(), 'farthing-compiled-'))
  try {
    cpSync(join(ROOT, 'dist'), join(home, 'dist'), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules'), join(home, 'node_modules'))
    const worker = module('process.exit(1)')
    const main = `
      import { writeFileSync } from 'node:fs'
      import { makeIngestThreads } from '${pathToFileURL(join(home, THREADS)).href}'
      const log = { info() {}, error() {}, warn: ({ err }) => console.log(err.message) }
      const threads = makeIngestThreads({}, { log, cores: 2, worker: new URL(${JSON.stringify(worker.href)}) })
      writeFileSync('${home}/dist/.sources', 'others')
      console.log(await threads.take({ headers: {}, rawHeaders: [], body: Buffer.alloc(70_000) }))
      await threads.close()`
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', main])
    expect(stdout).toBe('Farthing was compiled again: start it again\nundefined\n')
  } finally {
    rmSync(home, { recursive: true })
  }
})
