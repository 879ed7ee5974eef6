import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PROBLEMS_MAX } from '../../src/api/post-events.ts'
import { requestEvent, testServer, type TestServer } from './http-server.ts'

// Guarantee: a bad event harms none beside it; ten thousand of them flood neither the answer nor the log; and anyone who sent
// them, or whose key it was, can see what and how many they were.

let server: TestServer
beforeAll(async () => {
  server = await testServer()
})
afterAll(() => server.close())

const BATCH = 10_000
const NDJSON = 'application/x-ndjson'
/** Of an answer that names a thousand events: their sentences are short. */
const ANSWER_BYTES_MAX = 512 * 1024

function batchOf<Item>(length: number, item: (index: number) => Item): readonly Item[] {
  return Array.from({ length }, (_, index) => item(index))
}

function lines(events: readonly unknown[]): string {
  return events.map((event) => JSON.stringify(event)).join('\n')
}

interface CountItem {
  readonly account: string | null
  readonly source: string | null
  readonly code: string
  readonly times: number
  readonly firstAt: string
  readonly lastAt: string
}

async function timesOf(account: string, code: string): Promise<number> {
  const { json } = await server.ask(`/v1/refused-events/counts?account=${account}`)
  return (json.items as CountItem[])
    .filter((item) => item.code === code)
    .reduce((sum, { times }) => sum + times, 0)
}

describe('one bad event among ten thousand', () => {
  for (const [form, send] of Object.entries({
    'a JSON array': (events: readonly unknown[]) => server.send(events),
    NDJSON: (events: readonly unknown[]) => server.send(lines(events), { type: NDJSON }),
  })) {
    test(`in ${form} is named, and 9,999 are stored`, async () => {
      const subject = `one-of-${form.replaceAll(' ', '-')}`
      const events = batchOf(BATCH, (index) => requestEvent(String(index), { subject }))
      events[6_789]!['time'] = 'noon'
      const { json } = await send(events)
      expect(json).toMatchObject({ accepted: BATCH - 1, rejected: 1 })
      expect(json.problems).toMatchObject([{ index: 6_789, id: '6789', code: 'event/invalid_time' }])
      const { rows } = await server.database.pool.query(
        'select count(*)::int as events from usage_event where account = $1',
        [subject],
      )
      expect(rows).toEqual([{ events: BATCH - 1 }])
      expect(await timesOf(subject, 'event/invalid_time')).toBe(1)
    })
  }
})

function contentOf(index: number) {
  return { operation: 'SimpleQuery', status: 200, project: `p-${index}` }
}

describe('ten thousand bad events', () => {
  const bodies: Record<string, () => ReturnType<TestServer['send']>> = {
    'equal ones': () =>
      server.send(batchOf(BATCH, () => requestEvent('same', { subject: 'flood', time: 'noon' }))),
    'ever new ones, in NDJSON': () =>
      server.send(
        lines(batchOf(BATCH, (index) => requestEvent(`id-${index}`, { subject: 'flood', time: 'noon' }))),
        {
          type: NDJSON,
        },
      ),
    'with ids far too long, 20 MB of them, packed': () =>
      server.send(
        gzipSync(
          JSON.stringify(
            batchOf(BATCH, (index) => requestEvent(`${'x'.repeat(2_000)}${index}`, { subject: 'flood' })),
          ),
        ),
        { headers: { 'content-encoding': 'gzip' } },
      ),
    'lines that are not JSON': () => server.send(batchOf(BATCH, () => '{"id":').join('\n'), { type: NDJSON }),
    conflicts: async () => {
      await server.send(requestEvent('taken', { subject: 'flood' }))
      return server.send(
        batchOf(BATCH, (index) => requestEvent('taken', { subject: 'flood', data: contentOf(index) })),
      )
    },
  }
  for (const [name, send] of Object.entries(bodies)) {
    test(`${name}: the answer names a thousand, and the log none`, async () => {
      const before = server.logged.length
      const { status, json, text } = await send()
      expect([status, json.accepted]).toEqual([200, 0])
      expect(json.rejected + json.conflicts).toBe(BATCH)
      expect(json.problems).toHaveLength(PROBLEMS_MAX)
      expect(text.length).toBeLessThan(ANSWER_BYTES_MAX)
      expect(server.logged.slice(before)).toEqual([])
    })
  }

  test('are all counted, and examples of each kind are kept', async () => {
    const [equal, ...more] = (
      await server.ask('/v1/refused-events?account=flood&limit=1000')
    ).json.items.reverse()
    expect(equal).toMatchObject({ id: 'same', times: BATCH, code: 'event/invalid_time' })
    expect(equal.firstAt <= equal.lastAt).toBe(true)
    expect(more.length).toBeLessThanOrEqual(2 * 400)
    expect(await timesOf('flood', 'event/invalid_time')).toBe(2 * BATCH)
    expect(await timesOf('flood', 'event/too_long')).toBe(BATCH)
    expect(await timesOf('flood', 'event/conflict')).toBe(BATCH)
  })

  test('of a Lago client: the answer names a thousand', async () => {
    const body = JSON.stringify({ events: batchOf(BATCH, () => ({ code: 'x' })) })
    const init = { method: 'POST', type: 'application/json', body }
    const { status, text, json } = await server.ask('/api/v1/events/batch', init)
    expect([status, Object.keys(json.error_details).length]).toEqual([422, PROBLEMS_MAX])
    expect(text.length).toBeLessThan(ANSWER_BYTES_MAX)
  })

  test('a conflict among them is found by its id', async () => {
    const { json } = await server.ask('/v1/events?account=flood&id=taken')
    expect(json.stored).toHaveLength(1)
    expect(json.refused).toHaveLength(100)
    expect(json.refused[0]).toMatchObject({ outcome: 'conflict', code: 'event/conflict', times: 1 })
  })
})

describe('what a key of one account sends', () => {
  test('is kept and counted as its own, whatever account it names, and nobody else sees it', async () => {
    const key = await server.key(['usage:read', 'usage:write'], 'owner')
    const victimKey = await server.key(['usage:read'], 'victim')
    const events = [
      requestEvent('theirs', { subject: 'victim' }),
      requestEvent('nameless', { subject: undefined }),
      requestEvent('own', { subject: 'owner', time: 'noon' }),
    ]
    await server.send(`${lines(events)}\n{"id":`, { key, type: NDJSON })
    const codes = [
      'event/foreign_account',
      'event/missing_attribute',
      'event/invalid_time',
      'event/unreadable',
    ]
    const refused = (await server.ask('/v1/refused-events', { key })).json
    expect(refused.items.map(({ code }: { code: string }) => code).sort()).toEqual([...codes].sort())
    expect(refused.items.every(({ account }: { account: string }) => account === 'owner')).toBe(true)
    const counted = (await server.ask('/v1/refused-events/counts', { key })).json
    expect(counted.items.map(({ code }: { code: string }) => code).sort()).toEqual([...codes].sort())
    for (const path of ['/v1/refused-events', '/v1/refused-events/counts', '/v1/events?id=theirs']) {
      expect((await server.ask(path, { key: victimKey })).text).not.toContain('foreign')
    }
  })
})

test('the counts are listed in pages, each once, in order of account, source and code', async () => {
  await server.send(
    batchOf(25, (index) =>
      requestEvent('x', { subject: `paged-${index % 5}`, source: `s${index}`, time: '' }),
    ),
  )
  const items: CountItem[] = []
  for (let cursor = ''; ;) {
    const { json } = await server.ask(`/v1/refused-events/counts?limit=7${cursor}`)
    expect(json.items.length).toBeLessThanOrEqual(7)
    items.push(...json.items)
    if (json.next === null) break
    cursor = `&cursor=${json.next}`
  }
  const all = (await server.ask('/v1/refused-events/counts?limit=1000')).json.items as CountItem[]
  expect(items).toEqual(all)
  const keys = all.map(({ account, source, code }) => JSON.stringify([account ?? '', source ?? '', code]))
  expect(new Set(keys).size).toBe(keys.length)
  expect(all.filter(({ account }) => account?.startsWith('paged'))).toHaveLength(25)
  const bad = await server.ask('/v1/refused-events/counts?cursor=x')
  expect(bad.json.code).toBe('request/invalid_cursor')
})
