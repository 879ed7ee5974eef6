import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { formatHourStart, type Hour, hourOf } from '../../src/core/time/hour.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import { blocksOf } from '../unit/scenarios-read.ts'
import { requestEvent, testServer, type TestServer } from './http-server.ts'
import { installProgram } from './installed-program.ts'
import { inUnits } from './used-in-units.ts'

const PAGE = readFileSync(new URL('../../docs/clients.md', import.meta.url), 'utf8')
const ADDRESS = 'http://127.0.0.1:8080'

const folder = mkdtempSync(join(tmpdir(), 'farthing-curl-'))
let server: TestServer
beforeAll(async () => {
  installProgram('curl', '--version')
  server = await testServer()
}, 120_000)
afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

/** The command of docs/clients.md, as it stands there but for the address, with a file of these lines. */
async function curl(lines: readonly string[]): Promise<unknown> {
  const command = blocksOf(PAGE).find(({ content }) => content.startsWith('curl '))?.content
  if (!command?.includes(ADDRESS)) throw new Error('docs/clients.md has no command for curl')
  writeFileSync(join(folder, 'usage.ndjson'), lines.join('\n'))
  const env = { ...process.env, KEY: server.adminKey, http_proxy: '' }
  const args = ['-c', command.replace(ADDRESS, server.url)]
  const { stdout } = await promisify(execFile)('sh', args, { cwd: folder, env })
  return JSON.parse(stdout)
}

async function used(): Promise<unknown> {
  const now = hourOf(Date.now() as Instant)
  const [from, to] = [-2, 2].map((hours) => formatHourStart((now + hours) as Hour))
  const { json } = await server.ask(`/v1/usage?account=acme&from=${from}&to=${to}&window=month`)
  return inUnits<{ quantity: string }>(json.items).map(({ quantity }) => quantity)
}

test('a file of lines that the real curl sends is stored line by line, and a repeat counts once', async () => {
  const lines = ['a', 'b', 'c'].map((id) => JSON.stringify(requestEvent(id)))
  const counts = { conflicts: 0, held: 0, rejected: 0, problems: [] }
  expect(await curl(lines)).toEqual({ ...counts, accepted: 3, duplicates: 0 })
  expect(await used()).toEqual(['3'])
  expect(await curl([...lines, JSON.stringify(requestEvent('d')), ''])).toEqual({
    ...counts,
    accepted: 1,
    duplicates: 3,
  })
  expect(await used()).toEqual(['4'])
})

test('a line that cannot be read is told by its place, and the others are stored', async () => {
  const [good, other] = ['e', 'f'].map((id) => JSON.stringify(requestEvent(id)))
  expect(await curl([good!, '{"half', other!])).toMatchObject({
    accepted: 2,
    rejected: 1,
    problems: [{ index: 1, outcome: 'rejected', code: 'event/unreadable' }],
  })
  expect(await used()).toEqual(['6'])
})
