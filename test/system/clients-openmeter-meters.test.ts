import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openmeterAt } from './compat-clients.ts'
import { testServer, type TestServer } from './http-server.ts'
import { itemOf, publishTypes, rateOf, typeOf } from './published-types.ts'

// Guarantees: the first steps that OpenMeter's documentation shows work as they are; every meter that is listed can be
// asked for, and its list has pages as their clients read them.

const HOUR = 3_600_000
const DAY = 24 * HOUR
const now = Date.now()
/** The start of a day of UTC, so many days ago. */
const day = (ago: number) => new Date(Math.floor(now / DAY) * DAY - ago * DAY)

let server: TestServer
let sent = 0

beforeAll(async () => {
  server = await testServer()
  const eventTypes = {
    Prompt: typeOf('Prompt', 'token', 'tokens'),
    Odd: typeOf('Odd', 'token', "odd 'field'"),
    Hit: typeOf('Hit', 'hit', 1),
  }
  await publishTypes(server, eventTypes, {
    Tokens: itemOf({ default: rateOf('Prompt', 'token') }),
    OddTokens: itemOf({ default: rateOf('Odd', 'token') }),
    Hits: itemOf({ default: rateOf('Hit', 'hit') }),
    Mixed: itemOf({ pages: rateOf('Page', 'page'), calls: rateOf('Call', 'call') }),
    Both: itemOf({ a: rateOf('CallA', 'call'), b: rateOf('CallB', 'call') }),
    'Dotted.a': itemOf({ b: rateOf('One', 'page'), c: rateOf('Three', 'page') }),
    Dotted: itemOf({ 'a.b': rateOf('Two', 'page'), x: rateOf('Four', 'page') }),
  })
})
afterAll(() => server.close())

function meters(key = server.adminKey) {
  return openmeterAt({ url: server.url, key }).meters
}

async function send(subject: string, tokens: string, time: Date): Promise<void> {
  const event = {
    specversion: '1.0',
    id: `e${sent++}`,
    source: 's',
    type: 'Prompt',
    subject,
    time,
    data: { tokens },
  }
  const { json } = await server.send([event])
  if (json.accepted !== 1) throw new Error(JSON.stringify(json))
}

async function slugs(query: string): Promise<readonly string[]> {
  const { status, json, text } = await server.ask(`/api/v1/meters?${query}`)
  if (status !== 200) throw new Error(text)
  return json.map(({ slug }: { slug: string }) => slug)
}

describe('meters.query without from', () => {
  const WINDOWS = [undefined, 'HOUR', 'DAY', 'MONTH'] as const

  test('answers nothing where there is no usage yet', async () => {
    for (const windowSize of WINDOWS) {
      const answer = await meters().query('Tokens', windowSize ? { windowSize } : {})
      expect(answer?.data).toEqual([])
    }
    expect((await meters().query('Tokens'))?.data).toEqual([])
  })

  test('answers all usage until now, and says from when on', async () => {
    await send('acme', '5', new Date(now))
    await send('acme', '7', new Date(day(3).getTime() + HOUR))
    await send('acme', '11', day(20))
    const recent = await meters().query('Tokens')
    expect([recent?.from, recent?.data.map(({ value }) => value)]).toEqual([day(20), [23]])
    const hourly = await meters().query('Tokens', { windowSize: 'HOUR', subject: ['acme'] })
    expect(hourly?.data.map(({ value, windowStart }) => [value, windowStart])).toEqual([
      [11, day(20)],
      [7, new Date(day(3).getTime() + HOUR)],
      [5, new Date(Math.floor(now / HOUR) * HOUR)],
    ])
    const posted = await meters().queryPost('Tokens', { windowSize: 'HOUR', subject: ['acme'] })
    expect(posted).toEqual(hourly)
  })

  test('answers the longest range that its windows may have, where there is more', async () => {
    await send('acme', '13', day(300))
    const hourly = await meters().query('Tokens', { windowSize: 'HOUR' })
    const next = (Math.floor(now / HOUR) + 1) * HOUR
    expect([hourly?.to, hourly?.from]).toEqual([new Date(next), new Date(next - 32 * DAY)])
    expect(hourly?.data.map(({ value }) => value)).toEqual([11, 7, 5])
    const daily = await meters().query('Tokens', { windowSize: 'DAY' })
    expect(daily?.data.map(({ value }) => value)).toEqual([13, 11, 7, 5])
    const all = await meters().query('Tokens')
    expect([all?.from, all?.data.map(({ value }) => value)]).toEqual([day(300), [36]])
  })

  test('with to: what was before it', async () => {
    const values = async (to: Date) =>
      (await meters().query('Tokens', { to }))?.data.map(({ value }) => value)
    expect(await values(day(19))).toEqual([24])
    expect(await values(day(299))).toEqual([13])
    expect(await values(day(400))).toEqual([])
  })
})

describe('meters.list and meters.get of @openmeter/sdk', () => {
  test('give an item of the price book as a meter, with how it is sent', async () => {
    const list = await meters().list()
    const bySlug = new Map(list?.map((meter) => [meter.slug, meter]))
    const { json } = await server.ask('/v1/price-book')
    const published = new Date(json.publishedAt as string)
    expect(bySlug.get('Tokens')).toEqual({
      id: 'Tokens',
      slug: 'Tokens',
      name: 'Tokens',
      description: 'The billed quantity of Tokens, in token',
      aggregation: 'SUM',
      eventType: 'Prompt',
      valueProperty: '$.tokens',
      groupBy: { operation: '$.operation', project: '$.project', region: '$.region' },
      metadata: { unit: 'token' },
      createdAt: published,
      updatedAt: published,
    })
    const sentAs = (slug: string) => {
      const { aggregation, eventType, valueProperty } = bySlug.get(slug)!
      return [aggregation, eventType, valueProperty]
    }
    expect(sentAs('Hits')).toEqual(['COUNT', 'Hit', undefined])
    expect(sentAs('OddTokens')).toEqual(['SUM', 'Odd', `$["odd 'field'"]`])
    expect(sentAs('Mixed.pages')).toEqual(['SUM', 'farthing.processing', '$.quantities.page'])
    expect(sentAs('StandardQueryL0')).toEqual(['SUM', 'farthing.request', undefined])
    expect(sentAs('IndexStorage')).toEqual(['SUM', 'farthing.storage', undefined])
    expect(await meters().get('Tokens')).toEqual(bySlug.get('Tokens'))
  })

  test('an item whose rates have different units is listed by its rates, and no name that means two', async () => {
    const found = (await meters().list())?.map(({ slug }) => slug) ?? []
    const own = found.filter((slug) => /^(?:Mixed|Both|Dotted|Tokens)/.test(slug))
    expect(own).toEqual([
      'Both',
      'Both.a',
      'Both.b',
      'Dotted',
      'Dotted.a',
      'Dotted.a.c',
      'Dotted.x',
      'Mixed.calls',
      'Mixed.pages',
      'Tokens',
    ])
  })

  test('every one that is listed can be got and asked for', async () => {
    for (const { id, slug } of (await meters().list()) ?? []) {
      expect((await meters().get(id))?.slug).toBe(slug)
      expect((await meters().query(slug, { from: day(1) }))?.data).toBeInstanceOf(Array)
    }
  })

  test('pages, orders and their defaults are those of OpenMeter', async () => {
    const all = await slugs('pageSize=1000')
    expect([...all].sort()).toEqual(all)
    expect(await slugs('')).toEqual(all.slice(0, 100))
    expect([...(await slugs('page=1&pageSize=7')), ...(await slugs('page=2&pageSize=7'))]).toEqual(
      all.slice(0, 14),
    )
    expect(await slugs('page=1000&pageSize=7')).toEqual([])
    for (const orderBy of ['key', 'name', 'createdAt', 'updatedAt']) {
      expect(await slugs(`pageSize=1000&orderBy=${orderBy}&order=DESC`)).toEqual([...all].reverse())
    }
    expect((await slugs('orderBy=aggregation'))[0]).toBe('Hits')
    expect(await slugs('pageSize=1000&includeDeleted=true')).toEqual(all)
  })

  test('what cannot be asked so is refused in the shape that the package reads', async () => {
    await expect(meters().get('Nothing')).rejects.toMatchObject({ status: 404 })
    await expect(meters().get('Mixed')).rejects.toMatchObject({ status: 422 })
    await expect(meters().create({ slug: 'x', eventType: 'x', aggregation: 'COUNT' })).rejects.toMatchObject({
      status: 405,
    })
    for (const query of [
      'page=0',
      'pageSize=1001',
      'order=up',
      'orderBy=slug',
      'includeDeleted=1',
      'limit=1',
    ]) {
      const { status, headers } = await server.ask(`/api/v1/meters?${query}`)
      expect([query, status, headers.get('content-type')]).toEqual([query, 400, 'application/problem+json'])
    }
    const key = await server.key(['usage:read'], 'other')
    expect((await meters(key).list())?.length).toBeGreaterThan(10)
  })
})
