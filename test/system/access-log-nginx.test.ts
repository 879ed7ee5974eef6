import { copyFileSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { serverProcess, type ServerProcess } from './cli-server.ts'
import { type Nginx, startNginx } from './nginx.ts'
import { inUnits } from './used-in-units.ts'

let server: ServerProcess
let nginx: Nginx
/** Takes requests and never answers. */
let slow: Server
beforeAll(async () => {
  slow = createServer(() => undefined)
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve))
  ;[server, nginx] = await Promise.all([
    serverProcess(),
    startNginx(http((slow.address() as AddressInfo).port)),
  ])
})
afterAll(async () => {
  await Promise.all([server?.close(), nginx?.close()])
  slow.closeAllConnections()
  slow.close()
})

const LOG_FORMAT = `log_format billing '$remote_addr $msec "$request" $status $request_id "$http_x_account"'
  ' "$http_user_agent"';`
const JSON_FORMAT = `log_format billing_json escape=json '{"at":$msec,"request":"$request","status":"$status",'
  '"id":"$request_id","who":"$http_x_account","agent":"$http_user_agent"}';`

function http(slowPort: number): string {
  return `${LOG_FORMAT} ${JSON_FORMAT}
    access_log FOLDER/main.log billing; access_log FOLDER/json.log billing_json;
    access_log FOLDER/combined.log combined;
    server { listen 127.0.0.1:PORT; default_type text/plain;
      location /v1/photos { return 200 "faces"; }
      location /v1/query { return 200 "rows"; }
      location /v1/gone { return 404 "gone"; }
      location /v1/broken { return 503 "broken"; }
      location /v1/slow { proxy_pass http://127.0.0.1:${slowPort}; }
      location / { return 200; } }`
}

const OPERATIONS = `operations:
  GET /v1/photos/{project}/faces: { operation: GetFileMeta, project: { path: project } }
  POST /v1/query: SimpleQuery
  GET /v1/gone: SimpleQuery
  GET /v1/broken: SimpleQuery
  GET /v1/slow: FuzzyQuery
ignore: [GET /healthz]
`

function mapFile(name: string, head: string): string {
  const path = join(nginx.folder, name)
  writeFileSync(path, `${head}\n${OPERATIONS}`)
  return path
}

function block(text: string): string {
  return `logFormat: |\n  ${text.replaceAll('\n', '\n  ')}`
}

/** Header values are bytes: Node sends one for each character. */
function bytes(text: string): string {
  return Buffer.from(text).toString('latin1')
}

function call(
  method: string,
  path: string,
  account: string,
  abortAfterMs?: number,
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { 'x-account': bytes(account), 'user-agent': bytes('ä "b\\ \t[x]'), connection: 'close' }
    const sent = request({ host: '127.0.0.1', port: nginx.port, method, path, headers }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode))
    })
    sent.on('error', (error) => (abortAfterMs === undefined ? reject(error) : resolve(undefined)))
    sent.end()
    if (abortAfterMs !== undefined) setTimeout(() => sent.destroy(), abortAfterMs)
  })
}

/** Calls, as the test made them: what each is, and how it must be counted. */
type Count = { quantity: number; waived: number }
class Ledger {
  readonly counts = new Map<string, Count>()
  requests = 0

  note(account: string, operation: string, project: string | null, kind: keyof Count): void {
    const key = JSON.stringify([account, operation, project])
    const count = this.counts.get(key) ?? { quantity: 0, waived: 0 }
    count[kind] += 1
    this.counts.set(key, count)
  }
}

const ACCOUNTS = ['acme', 'Ü "b" \\x22 [c]', 'a, b=c'] as const
const PROJECTS = ['plain', 'a b', 'ü/é', '100%', '"quoted"', '日本'] as const

async function useApi(ledger: Ledger): Promise<void> {
  const all = [...ACCOUNTS]
  for (const account of all) {
    for (const project of PROJECTS) {
      expect(await call('GET', `/v1/photos/${encodeURIComponent(project)}/faces?x=%22`, account)).toBe(200)
      ledger.note(account, 'GetFileMeta', project, 'quantity')
    }
    expect(await call('POST', '//v1/./query/?a=1', account)).toBe(200)
    ledger.note(account, 'SimpleQuery', null, 'quantity')
    expect(await call('GET', '/v1/gone', account)).toBe(404)
    ledger.note(account, 'SimpleQuery', null, 'quantity')
    expect(await call('GET', '/v1/broken', account)).toBe(503)
    ledger.note(account, 'SimpleQuery', null, 'waived')
    expect(await call('GET', '/healthz', account)).toBe(200)
    await call('GET', '/v1/slow', account, 100)
    ledger.note(account, 'FuzzyQuery', null, 'quantity')
    expect(await call('GET', '/v1/unheard', account)).toBe(200)
  }
  ledger.requests += all.length * (PROJECTS.length + 6)
}

interface UsageRow {
  readonly operation: string
  readonly project: string | null
  readonly quantity: string
  readonly waived: string
}

function hour(at: number): string {
  return new Date(at).toISOString().replace(/:.*/, ':00:00Z')
}

/** What the server says was used, in the form of the ledger. */
async function usageOf(account: string): Promise<ReadonlyMap<string, Count>> {
  const key = readFileSync(join(server.dataDir, 'admin-key'), 'utf8').trim()
  const day = 86_400_000
  const query = new URLSearchParams({
    account,
    from: hour(Date.now() - day),
    to: hour(Date.now() + day),
    window: 'month',
    groupBy: 'operation,project',
    limit: '1000',
  })
  const answer = await fetch(`${server.url}/v1/usage?${query.toString()}`, {
    headers: { authorization: `Bearer ${key}` },
  })
  const { items } = (await answer.json()) as { readonly items: readonly Record<string, unknown>[] }
  const counts = new Map<string, Count>()
  for (const { operation, project, quantity, waived } of inUnits<UsageRow>(items)) {
    const name = JSON.stringify([account, operation, project])
    const before = counts.get(name) ?? { quantity: 0, waived: 0 }
    counts.set(name, { quantity: before.quantity + Number(quantity), waived: before.waived + Number(waived) })
  }
  return counts
}

async function usage(accounts: readonly string[]): Promise<ReadonlyMap<string, Count>> {
  return new Map((await Promise.all(accounts.map(usageOf))).flatMap((one) => [...one]))
}

async function imported(map: string, ...logs: readonly string[]): Promise<Record<string, number>> {
  const paths = logs.map((log) => join(nginx.folder, log))
  const run = await server.run(['import', '--map', map, '--no-wait', '--json', ...paths])
  // Somebody called what is in no template: that is told, and nothing else is wrong.
  expect({
    code: run.code,
    stderr: run.stderr.replaceAll(
      /.*No template matches GET \/v1\/unheard: .*\n|.* more rejected \(log\/no_route\)\n/g,
      '',
    ),
  }).toEqual({ code: 3, stderr: '' })
  const { problems: _, ...counts } = JSON.parse(run.stdout) as { problems: unknown } & Record<string, number>
  return counts
}

test('what nginx has logged is what was called: over a rotation, in three formats, packed, and copied away', async () => {
  const ledger = new Ledger()
  const main = mapFile('main.yaml', `format: nginx\naccount: { header: X-Account }\n${block(LOG_FORMAT)}`)
  const json = mapFile(
    'json.yaml',
    `format: nginx\naccount: { field: http_x_account }\n${block(JSON_FORMAT)}`,
  )
  const combined = mapFile(
    'combined.yaml',
    'format: combined\nsource: /combined\naccount: { value: everyone }',
  )
  await useApi(ledger)
  await nginx.linesOf('main.log', ledger.requests)
  await imported(main, 'main.log')
  const early = await imported(combined, 'combined.log')
  renameSync(join(nginx.folder, 'main.log'), join(nginx.folder, 'main.log.1'))
  await nginx.reopen('main.log')
  // logrotate's copytruncate.
  copyFileSync(join(nginx.folder, 'combined.log'), join(nginx.folder, 'combined.log.1'))
  truncateSync(join(nginx.folder, 'combined.log'))
  await useApi(ledger)
  const lines = await nginx.linesOf('json.log', ledger.requests)
  expect(lines.filter((line) => line.includes('"status":"499"'))).toHaveLength(2 * ACCOUNTS.length)
  const [calls, unmatched] = [ledger.requests - 4 * ACCOUNTS.length, 2 * ACCOUNTS.length]
  const outcome = {
    accepted: calls / 2,
    conflicts: 0,
    held: 0,
    rejected: 0,
    ignored: unmatched,
    unmatched,
    unfinished: 0,
  }
  // The first half is there already.
  expect(await imported(main, 'main.log.1', 'main.log')).toEqual({ ...outcome, duplicates: calls / 2 })
  expect(await usage(ACCOUNTS)).toEqual(ledger.counts)
  // The same requests in another format are the same events, to the last byte of their content.
  expect(await imported(json, 'json.log')).toEqual({ ...outcome, accepted: 0, duplicates: calls })
  writeFileSync(join(nginx.folder, 'main.log.1.gz'), gzipSync(readFileSync(join(nginx.folder, 'main.log.1'))))
  expect(await imported(main, 'main.log.1.gz')).toMatchObject({ accepted: 0, duplicates: calls / 2 })
  // Without a request id lines are named by their place: a copy has the same places, what follows has its own.
  expect(early).toMatchObject({ accepted: calls / 2 })
  expect(await imported(combined, 'combined.log.1', 'combined.log')).toEqual({
    ...outcome,
    duplicates: calls / 2,
  })
  expect(await imported(combined, 'combined.log', 'combined.log.1')).toEqual({
    ...outcome,
    accepted: 0,
    duplicates: calls,
  })
  const sum = [...ledger.counts].map(([, { quantity, waived }]) => quantity + waived).reduce((a, b) => a + b)
  const everyone = [...(await usage(['everyone']))].map(([, { quantity, waived }]) => quantity + waived)
  expect([sum, everyone.reduce((a, b) => a + b)]).toEqual([calls, calls])
})
