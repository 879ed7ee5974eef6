import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import {
  makeIngestThreads,
  OUT_OF_MEMORY_EXIT,
  type ThreadOptions,
  THREADS_LOST_MAX,
} from '../../src/threads/ingest-threads.ts'
import { requestEvent, testServer } from './http-server.ts'
import { CountedThreads, delivery } from './ingest-threads.ts'

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

test('on one core there is one thread, and with more there are two', async () => {
  const telling = module(`
    import { parentPort, threadId } from 'node:worker_threads'
    const counts = { accepted: 0, duplicate: 0, conflict: 0, held: 0, rejected: 0 }
    parentPort.on('message', ({ kind, number }) => {
      if (kind === 'close') parentPort.close()
      else setTimeout(() => parentPort.postMessage({ kind: 'answer', number, answer: { text: String(threadId), counts } }), 50)
    })
    parentPort.postMessage({ kind: 'ready' })`)
  for (const [cores, most] of [
    [1, 1],
    [2, 2],
    [16, 2],
  ] as const) {
    const { threads } = ownThreads({ cores, worker: telling })
    const answers = await Promise.all(
      Array.from({ length: 6 }, async () => threads.take(delivery(Buffer.alloc(70_000)))),
    )
    expect(new Set(answers.map((answer) => answer!.text)).size).toBe(most)
    await threads.close()
  }
})

/** Threads without a database, and what they log and how they end the process. */
function ownThreads(options: Partial<ThreadOptions>) {
  const logged: string[] = []
  const exits: number[] = []
  const note = (_: object, text: string) => void logged.push(text)
  const log = { info() {}, warn: note, error: note }
  const exit = (code: number) => void exits.push(code)
  const setup = { database: undefined!, taken: 'any', sessions: 2 } as const
  return {
    threads: makeIngestThreads(setup, { log, exit, cores: 2, heapMib: 32, ...options }),
    logged,
    exits,
  }
}

/** A thread that runs out of memory with bodies of 80,000 bytes: while it reads them, or when it has read them. */
const hungry = (hasRead: boolean) =>
  module(`
    import { parentPort } from 'node:worker_threads'
    const answer = { status: 200, text: 'taken' }
    parentPort.on('message', ({ kind, number, body }) => {
      if (kind === 'close') return parentPort.close()
      if (body.length < 80_000) {
        parentPort.postMessage({ kind: 'read', number })
        // Until the other one has ended it, this one is being stored.
        if (body.length > 70_000) parentPort.postMessage({ kind: 'answer', number, answer })
        return
      }
      if (${hasRead}) parentPort.postMessage({ kind: 'read', number })
      const all = []
      for (;;) all.push(Array(1_000).fill({}).map(() => ({ number })))
    })
    parentPort.postMessage({ kind: 'ready' })`)

test.each([
  [false, 'request/too_complex'],
  [true, 'ingest/unavailable'],
])(
  'a thread that runs out of memory is replaced: what it read (%s) is %s, what it was storing is to be repeated',
  async (hasRead, code) => {
    const { threads, logged, exits } = ownThreads({ cores: 1, worker: hungry(hasRead) })
    const send = (bytes: number) => threads.take(delivery(Buffer.alloc(bytes)))!
    const ended = await Promise.allSettled([send(66_000), send(66_000), send(90_000)])
    const codes = ended.map((one) =>
      one.status === 'rejected' ? (one.reason as { code: string }).code : 'taken',
    )
    expect(codes).toEqual(['ingest/unavailable', 'ingest/unavailable', code])
    expect((await send(75_000))?.text).toBe('taken')
    expect(logged).toContain('A thread for large deliveries has run out of memory: another one is started')
    expect(exits).toEqual([])
    await threads.close()
  },
)

test('five threads that run out of memory in a minute end the process, with a reason and an exit code', async () => {
  const { threads, logged, exits } = ownThreads({ cores: 1, worker: hungry(false) })
  for (let lost = 1; lost <= THREADS_LOST_MAX; lost++) {
    expect(exits).toEqual([])
    await expect(threads.take(delivery(Buffer.alloc(90_000)))).rejects.toMatchObject({
      code: 'request/too_complex',
    })
  }
  expect(exits).toEqual([OUT_OF_MEMORY_EXIT])
  expect(logged.at(-1)).toBe(
    'Threads for large deliveries run out of memory again and again: the process ends',
  )
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
