import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runInThisContext } from 'node:vm'
import express from 'express'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testServer, type TestServer } from '../../test/system/http-server.ts'
import { installProgram } from '../../test/system/installed-program.ts'
import { usageOf } from './auditor.ts'

/** The SDK as it is published, in the real Chromium, on a page of a server of its own as the README has it. */

const SDK = fileURLToPath(new URL('..', import.meta.url))
const README = readFileSync(join(SDK, 'README.md'), 'utf8')
const [SERVER, PAGE] = [...README.matchAll(/```js browser\n([\s\S]*?)```/g)].map(([, block]) => block!)
const PATIENCE_MS = 20_000

/** The README's server takes these from around it. */
type ServerBlock = (
  app: express.Express,
  framework: typeof express,
  url: string,
  keyOf: (signedIn: typeof user) => string | undefined,
) => void

let farthing: TestServer
let site: Server
let origin: string
let profile: string
let browser: ChildProcess | undefined
/** What pages have said. */
const reports: unknown[] = []
/** Which account is signed in. */
const user = { account: '' }
/** Its own key, and one that the README's server uses for it. */
const keys = new Map<string, string>()

beforeAll(async () => {
  installProgram('chromium', '--version')
  execFileSync(process.execPath, ['bin/prepare.mjs'])
  farthing = await testServer()
  for (const account of ['stays', 'leaves', 'direct', 'own']) {
    keys.set(account, await farthing.key(['usage:write'], account))
  }
  profile = mkdtempSync(join(tmpdir(), 'farthing-chromium-'))
  const app = express()
  app.use((request, _response, next) => {
    Object.assign(request, { user })
    next()
  })
  const keyOf = ({ account }: typeof user) => keys.get(account)
  const run = runInThisContext(`(app, express, url, keyOf) => {\n${SERVER}\n}`) as ServerBlock
  run(app, express, farthing.url, keyOf)
  app.use('/sdk', express.static(join(SDK, 'dist')))
  app.post('/report', express.json(), (request, response) => {
    reports.push(request.body)
    response.sendStatus(204)
  })
  app.get('/next', (_request, response) => void response.send(pageOf("report({ page: 'next' })")))
  app.get('/:name', (request, response) => void response.send(pageOf(SCRIPTS[request.params.name] ?? '')))
  site = app.listen(0, '127.0.0.1')
  await new Promise((resolve) => site.once('listening', resolve))
  origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`
}, 300_000)
afterAll(async () => {
  await close()
  site.closeAllConnections()
  await new Promise((resolve) => site.close(resolve))
  await farthing.close()
  rmSync(profile, { recursive: true, force: true })
})

const CALL = "meter.request({ account, operation: 'SimpleQuery', status: 200 })"
/** The pages, behind what the README's page does. */
const SCRIPTS: Readonly<Record<string, string>> = {
  stays: `${PAGE}
    for (let at = 0; at < 3; at++) ${CALL}
    report({ flushed: await meter.flush(), accepted: meter.stats().accepted })`,
  leaves: `${PAGE}
    ${CALL}
    ${CALL}
    location.href = '/next'`,
  foreign: `${PAGE}
    ${CALL}
    report({ flushed: await meter.flush(), rejected: meter.stats().rejected })`,
  direct: `import { createMeter } from '@farthing/sdk'
    const onProblem = ({ kind, code }) => report({ kind, code })
    const meter = createMeter({ url: farthing, key, source: '/web', batchMs: 1, onProblem })
    ${CALL}`,
}

function pageOf(script: string): string {
  const { account } = user
  return `<!doctype html><link rel="icon" href="data:,">
    <script type="importmap">{ "imports": { "@farthing/sdk": "/sdk/create-meter.js" } }</script>
    <script>
      const [account, farthing, key] = ${JSON.stringify([account, farthing.url, keys.get(account)])}
      const report = (value) => fetch('/report', { method: 'POST', body: JSON.stringify(value),
        headers: { 'content-type': 'application/json' } })
    </script>
    <script type="module">${script}</script>`
}

/** Opens a page in a browser of its own. @returns the first that it, or the page after it, says */
async function open(name: string, account: string): Promise<unknown> {
  await close()
  reports.length = 0
  user.account = account
  const flags = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    `--user-data-dir=${profile}`,
  ]
  browser = spawn('chromium', [...flags, '--remote-debugging-port=0', `${origin}/${name}`], {
    stdio: 'ignore',
  })
  await until(() => reports.length > 0)
  return reports[0]
}

async function close(): Promise<void> {
  const running = browser
  browser = undefined
  if (!running) return
  const ended = new Promise((resolve) => running.once('exit', resolve))
  running.kill('SIGKILL')
  await ended
}

async function until(isDone: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + PATIENCE_MS
  while (!(await isDone())) {
    if (Date.now() > end) throw new Error(`not within ${PATIENCE_MS} ms: ${JSON.stringify(reports)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function calls(account: string): Promise<bigint | undefined> {
  return (await usageOf(farthing.url, farthing.adminKey, account)).get('SimpleQuery  billed')
}

test('a page meters by way of its own server, which has the key', async () => {
  expect(await open('stays', 'stays')).toEqual({ flushed: true, accepted: 3 })
  expect(await calls('stays')).toBe(3n)
})

test('what was taken when the user leaves the page is sent by the browser', async () => {
  expect(await open('leaves', 'leaves')).toEqual({ page: 'next' })
  await until(async () => (await calls('leaves')) === 2n)
})

test('a page that names another account than that of its user is not believed', async () => {
  keys.set('victim', keys.get('own')!)
  expect(await open('foreign', 'victim')).toEqual({ flushed: true, rejected: 1 })
  expect([await calls('victim'), await calls('own')]).toEqual([undefined, undefined])
})

test('Farthing itself answers to no page, even with a key', async () => {
  expect(await open('direct', 'direct')).toEqual({ kind: 'retrying', code: 'sdk/no_answer' })
  expect(await calls('direct')).toBeUndefined()
})
