import { formatHourStart, type Hour, hourOf } from '../../src/core/time/hour.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import { appendPending } from '../../src/flows/log/append-pending.ts'
import { NO_IDENTITY } from '../../src/flows/log/log-identity.ts'
import { requestEvent, testServer, type TestServer } from './http-server.ts'

/** A server with a small day of one account, `acme`: what the tests of reading look at. */
export interface Day {
  readonly server: TestServer
  /** GET as the admin, answered with 200. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
  get(path: string): Promise<any>
  /** All items of a list, page by page. */
  pages(path: string, limit: number): Promise<readonly Item[]>
}

export type Item = Readonly<Record<string, unknown>>

/** With this grace the hour before the current one is never sealed, and the one before that always is. */
const GRACE_MS = 3_600_000

/** The tests of a file are over within a minute, and must not cross into another hour. */
const leftMs = GRACE_MS - (Date.now() % GRACE_MS)
if (leftMs < 60_000) await new Promise((resolve) => setTimeout(resolve, leftMs + 100))

/** Live hours begin 4 hours ago. Everything happens around `first`, an hour that is settled. */
export const now = hourOf(Date.now() as Instant)
export const first = (now - 4) as Hour
export const GB = 1_000_000_000

export const FIRST_BILL = `${formatHourStart(first).slice(0, 13)}Z.acme`

/** An instant within an hour, as the API writes it. */
export function at(hour: number, minute: number, second = 0): string {
  return new Date(hour * 3_600_000 + minute * 60_000 + second * 1000).toISOString()
}

export function request(id: string, hour: number, data: object = {}) {
  return requestEvent(id, { time: at(hour, 10), data: { operation: 'SimpleQuery', status: 200, ...data } })
}

function faces(id: string, hour: number, calls: number, project = 'photos') {
  const data = { operation: 'DetectImageFaces', mode: 'sync', project, quantities: { call: calls } }
  return requestEvent(id, { type: 'farthing.processing', time: at(hour, 20), data })
}

function level(id: string, hour: number, minute: number, bytes: number) {
  const data = { project: 'photos', dataset: '2026', bytes: String(bytes) }
  return requestEvent(id, { type: 'farthing.storage', time: at(hour, minute), data })
}

export async function makeDay(): Promise<Day> {
  const server = await testServer({ firstHour: first, graceMs: GRACE_MS })
  const get: Day['get'] = async (path) => {
    const answer = await server.ask(path)
    if (answer.status === 200) return answer.json
    throw new Error(`${path}: ${answer.text}`)
  }
  await sendDay(server)
  await appendPending(server.database.pool, NO_IDENTITY)
  return { server, get, pages: (path, limit) => pages(get, path, limit) }
}

async function sendDay(server: TestServer): Promise<void> {
  await sent(server, { accepted: 17, held: 1 }, [
    ...Array.from({ length: 7 }, (_, index) => request(`q${index}`, first)),
    request('failed', first, { status: 503 }),
    faces('f1', first, 1),
    faces('f2', first, 2),
    level('l1', first, 15, GB),
    level('l2', first, 45, 3 * GB),
    request('next', first + 1),
    faces('twice', first + 1, 1, 'copies'),
    faces('twice', first + 2, 1, 'copies'),
    faces('other', first + 2, 1, 'copies'),
    request('unknown', first, { operation: 'Teleport' }),
    requestEvent('known', { time: at(first, 1), data: { operation: 'GetProject', status: 200 } }),
  ])
  await server.settle({ graceMs: GRACE_MS })
  const open = { ...request('open', now, { project: 'photos' }), time: new Date().toISOString() }
  await sent(server, { accepted: 2 }, [request('late', first, { count: 5 }), open])
  await sent(server, { conflicts: 1 }, [request('q0', first, { status: 404 })])
}

async function sent(server: TestServer, expected: Item, events: readonly object[]): Promise<void> {
  const { json } = await server.send(events)
  for (const [outcome, count] of Object.entries(expected)) {
    if (json[outcome] !== count) throw new Error(`not ${String(count)} ${outcome}: ${JSON.stringify(json)}`)
  }
}

async function pages(get: Day['get'], path: string, limit: number): Promise<readonly Item[]> {
  const items: Item[] = []
  const list = `${path}${path.includes('?') ? '&' : '?'}limit=${limit}`
  let cursor: string | null = ''
  while (cursor !== null) {
    const page = (await get(cursor === '' ? list : `${list}&cursor=${cursor}`)) as {
      readonly items: readonly Item[]
      readonly next: string | null
    }
    items.push(...page.items)
    cursor = page.next
  }
  return items
}
