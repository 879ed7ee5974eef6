import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testServer, type TestServer } from '../../test/system/http-server.ts'
import { usageOf } from './auditor.ts'

/** The parts of programs in the README, each as it stands there, in a program around it. */

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const README = readFileSync(join(ROOT, 'sdk/README.md'), 'utf8')
const BLOCKS = [...README.matchAll(/```js\n([\s\S]*?)```/g)].map(([, block]) => block!)
const used = new Set<string>()

let server: TestServer
let home: string

beforeAll(async () => {
  execFileSync(process.execPath, ['bin/prepare.mjs'])
  server = await testServer()
  home = mkdtempSync(join(tmpdir(), 'farthing-sdk-blocks-'))
  mkdirSync(join(home, 'node_modules/@farthing'), { recursive: true })
  symlinkSync(join(ROOT, 'sdk'), join(home, 'node_modules/@farthing/sdk'))
  for (const name of ['express', 'fastify', 'hono'])
    symlinkSync(join(ROOT, 'node_modules', name), join(home, 'node_modules', name))
})
afterAll(async () => {
  await server.close()
  rmSync(home, { recursive: true, force: true })
})

/** The one block that has this text in it. */
function block(text: string): string {
  const found = BLOCKS.filter((one) => one.includes(text))
  expect([text, found.length]).toEqual([text, 1])
  used.add(found[0]!)
  return found[0]!
}

const SETTINGS = `
import { createMeter } from '@farthing/sdk'
const [url, key, source] = [process.env.FARTHING_URL, process.env.FARTHING_KEY, '/readme']`
const METER = `${SETTINGS}
const meter = createMeter({ url, key, source })`
/** Two requests that are metered, one that is skipped, and one of nobody. */
const REQUESTS = `
const base = 'http://127.0.0.1:' + port
for (const path of ['/v1/photos/7', '/v1/photos/8', '/health'])
  await (await fetch(base + path, { headers: { 'x-user': process.env.ACCOUNT, 'x-project': 'photos' } })).text()
await (await fetch(base + '/v1/photos/9')).text()
console.log(await meter.close(), JSON.stringify(metering.unmetered()))
process.exit()`

/** Runs a program, and gives what it has printed, with what the server then says of the account. */
async function run(account: string, ...parts: readonly string[]) {
  writeFileSync(join(home, `${account}.mjs`), parts.join('\n'))
  const env = { ...process.env, FARTHING_URL: server.url, FARTHING_KEY: server.adminKey, ACCOUNT: account }
  const { stdout } = await promisify(execFile)(process.execPath, [`${account}.mjs`], { cwd: home, env })
  return { stdout, usage: await usageOf(server.url, server.adminKey, account) }
}

/** What the operations of the frameworks' routes come to: they are in no price book, so they are held. */
async function held(account: string): Promise<readonly string[]> {
  const { json } = await server.ask(`/v1/held-events/events?account=${account}`)
  const events = json.items as readonly { readonly subject: string; readonly id: string }[]
  const shown = events.map(async ({ subject, id }) => {
    const answer = await server.ask(`/v1/events?account=${account}&id=${encodeURIComponent(id)}`)
    return `${subject} ${answer.json.stored[0].event.data.project} ${answer.json.stored[0].event.data.status}`
  })
  return Promise.all(shown)
}

const COUNTED = ['GET /v1/photos/:id photos 200', 'GET /v1/photos/:id photos 200']
const UNMETERED = 'true {"skipped":1,"noOperation":0,"noAccount":1,"failed":0}\n'

test('fastify: answered requests are metered', async () => {
  const app = `
import fastify from 'fastify'
const app = fastify()
app.addHook('onRequest', async (request) => { request.user = { account: request.headers['x-user'] } })`
  const routes = `
app.get('/health', () => 'ok')
app.get('/v1/photos/:id', (request) => request.params)
await app.listen({ port: 0, host: '127.0.0.1' })
const { port } = app.server.address()`
  const { stdout } = await run('fastify', METER, app, block('app.register(metering)'), routes, REQUESTS)
  expect(stdout).toBe(UNMETERED)
  expect(await held('fastify')).toEqual(COUNTED)
})

test('express: the same options, another entry, and the line for it', async () => {
  const app = `
import express from 'express'
const app = express()`
  const options = block('app.register(metering)')
    .replace('sdk/fastify', 'sdk/express')
    .replace(/^await app\.register.*$/m, '')
  const routes = `
app.use((request, response, next) => { request.user = { account: request.headers['x-user'] }; next() })
app.get('/health', (request, response) => response.send('ok'))
app.get('/v1/photos/:id', (request, response) => response.json(request.params))
const listening = app.listen(0, '127.0.0.1')
await new Promise((resolve) => listening.once('listening', resolve))
const { port } = listening.address()`
  const { stdout } = await run('express', METER, app, options, block('// express'), routes, REQUESTS)
  expect(stdout).toBe(UNMETERED)
  expect(await held('express')).toEqual(COUNTED)
})

test('hono: its own options', async () => {
  const app = `
import { createAdaptorServer } from '${join(ROOT, 'node_modules/@hono/node-server/dist/index.mjs')}'
import { Hono } from 'hono'
const app = new Hono()`
  const routes = `
app.use((c, next) => { c.set('user', { account: c.req.header('x-user') }); return next() })
app.get('/health', (c) => c.text('ok'))
app.get('/v1/photos/:id', (c) => c.json(c.req.param()))
const listening = createAdaptorServer({ fetch: app.fetch })
listening.listen(0, '127.0.0.1')
await new Promise((resolve) => listening.once('listening', resolve))
const { port } = listening.address()`
  const { stdout } = await run('hono', METER, app, block('sdk/hono'), routes, REQUESTS)
  expect(stdout).toBe(UNMETERED)
  expect(await held('hono')).toEqual(COUNTED)
})

test('a job is metered when it has completed, with its quantities', async () => {
  const work = `
const file = 'video'
const convert = async () => ({ milliseconds: 83250n })`
  const account = block('meterJob(').replace("'acme'", "'job'")
  const end = 'console.log(video.milliseconds, await meter.close())'
  const { stdout, usage } = await run('job', METER, work, account, end)
  expect(stdout).toBe('83250n true\n')
  expect(usage).toEqual(new Map([['CreateMediaConvertTask photos billed', 83250n]]))
})

const CALL = "await meter.request({ account: process.env.ACCOUNT, operation: 'SimpleQuery', status: 200 })"

test('on a signal, what was taken is sent first', async () => {
  const end = `${CALL}
process.kill(process.pid, 'SIGTERM')
setTimeout(() => {}, 60_000)`
  await expect(run('signals', METER, block('closeOnSignals'), end)).rejects.toMatchObject({
    signal: 'SIGTERM',
  })
  expect(await usageOf(server.url, server.adminKey, 'signals')).toEqual(
    new Map([['SimpleQuery  billed', 1n]]),
  )
})

test('with a spool, what a killed process has taken is sent by the next one', async () => {
  const folder = mkdtempSync(join(home, 'spool-'))
  const spool = block('fileSpool(').replace('/var/lib/gateway/usage', folder)
  const killed = run('spool', SETTINGS, spool, CALL, "process.kill(process.pid, 'SIGKILL')")
  await expect(killed).rejects.toMatchObject({ signal: 'SIGKILL' })
  const { stdout, usage } = await run('spool', SETTINGS, spool, 'console.log(await meter.close())')
  expect([stdout, usage]).toEqual(['true\n', new Map([['SimpleQuery  billed', 1n]])])
})

test('no block of the page is left out', () => {
  expect(BLOCKS.filter((one) => !used.has(one))).toEqual([])
})
