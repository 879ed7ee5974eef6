import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formatHour, formatHourStart, type Hour } from '../../src/core/time/hour.ts'
import { countSources, SILENCE_HOURS_MAX } from '../../src/flows/sources/count-sources.ts'
import { insertUncountedHour } from '../../src/store/sources.ts'
import { run } from '../../src/store/query.ts'
import { at, now } from './http-day.ts'
import { farthing } from './cli-run.ts'
import { requestEvent, testServer, type TestServer } from './http-server.ts'

const FIRST = (now - 30) as Hour
/** The newest hour that is sealed when an hour's grace is nothing. */
const NEWEST = now - 1

interface Logged {
  readonly level: string
  readonly fields: Readonly<Record<string, unknown>>
  readonly text: string
}

let server: TestServer
let logged: Logged[] = []
beforeAll(async () => {
  server = await testServer({ firstHour: FIRST })
})
afterAll(() => server.close())

let sent = 0

async function send(source: string, hour: number, events = 1): Promise<void> {
  const batch = Array.from({ length: events }, () =>
    requestEvent(`e${sent++}`, { source, time: at(hour, 5), subject: source }),
  )
  const { json } = await server.send(batch)
  if (json.accepted !== events) throw new Error(JSON.stringify(json))
}

/** Seal and settle all hours before this one, and count them. */
async function pass(until: number): Promise<void> {
  await server.settle({ graceMs: Date.now() - until * 3_600_000 })
  await count()
}

function note(level: string) {
  return (fields: object, text: string) => void logged.push({ level, fields: { ...fields }, text })
}

async function count(): Promise<void> {
  const log = { info: note('info'), warn: note('warn'), error: note('error') }
  await countSources({ pool: server.database.pool, log, stopping: () => false })
}

function announce(source: string, hour: number | string, events: unknown) {
  const name = typeof hour === 'number' ? formatHour(hour as Hour) : hour
  const body = JSON.stringify({ source, hour: name, events })
  return server.ask('/v1/manifests', { method: 'POST', body, type: 'application/json' })
}

async function get(path: string) {
  const { status, json, text } = await server.ask(path)
  if (status !== 200) throw new Error(text)
  return json
}

async function arrivedOf(hour: number, source: string) {
  const { items } = await get(`/v1/cycles/${formatHour(hour as Hour)}/sources`)
  return items.find((item: { source: string }) => item.source === source)
}

async function manifestsOf(hour: number) {
  const { items } = await get(`/v1/cycles?from=${formatHour(hour as Hour)}&limit=1000`)
  return items.find((item: never) => item['cycle']['from'] === formatHourStart(hour as Hour)).manifests
}

async function gauge(): Promise<string | undefined> {
  const { text } = await server.ask('/metrics')
  return /^farthing_silent_sources (\d+)$/m.exec(text)?.[1]
}

async function silent() {
  return (await get('/v1/sources/silent')).items
}

describe('a source that usually reports', () => {
  test('and has sent nothing for a sealed hour is shown, counted, and warned of once', async () => {
    for (let hour = FIRST as number; hour < NEWEST; hour++) await send('/steady', hour)
    for (let hour = NEWEST - 6; hour < NEWEST; hour++) await send('/new', hour)
    await send('/there', NEWEST)
    await pass(NEWEST)
    expect([await silent(), logged]).toEqual([[], []])
    await pass(now)
    const expected = {
      source: '/steady',
      lastHour: formatHourStart((NEWEST - 1) as Hour),
      silentSince: formatHourStart(NEWEST as Hour),
      acknowledgedBy: null,
    }
    expect(await silent()).toEqual([expected])
    expect(await gauge()).toBe('1')
    const { items } = await get('/v1/sources')
    const silences = items.map(({ source, silentSince }: never) => [source, silentSince])
    expect(silences).toContainEqual(['/steady', expected.silentSince])
    expect(silences).toContainEqual(['/there', null])
    await count()
    expect(logged).toMatchObject([
      { level: 'warn', fields: { hour: formatHour(NEWEST as Hour), sources: 1, first: ['/steady'] } },
    ])
    const ready = await server.ask('/readyz')
    expect(ready).toMatchObject({ status: 200, json: { ready: true } })
    expect(ready.json.reasons).toEqual([
      'A source that usually reports is silent: see farthing sources silent.',
    ])
  })

  test('and is known to be stopped is no warning any more', async () => {
    const body = JSON.stringify({ source: '/steady' })
    const asking = { method: 'POST', body, type: 'application/json' }
    expect((await server.ask('/v1/sources/silent/acknowledge', asking)).status).toBe(200)
    expect(await silent()).toMatchObject([{ source: '/steady', acknowledgedBy: expect.any(String) }])
    expect(await gauge()).toBe('0')
    expect((await server.ask('/readyz')).json.reasons).toEqual([])
    const other = await server.ask('/v1/sources/silent/acknowledge', {
      ...asking,
      body: '{"source":"/there"}',
    })
    expect(other).toMatchObject({ status: 404, json: { code: 'source/not_silent' } })
  })

  test('is shown by the command line, with who has acknowledged it', async () => {
    const env = { FARTHING_URL: server.url, FARTHING_KEY: server.adminKey }
    const [last, since] = [NEWEST - 1, NEWEST].map((hour) => at(hour, 0).slice(0, 16).replace('T', ' '))
    const [by] = (await silent()).map(({ acknowledgedBy }: { acknowledgedBy: string }) => acknowledgedBy)
    const { stdout } = await farthing(['sources', 'silent'], { env })
    expect(stdout).toMatch(new RegExp(`^/steady +${last} +${since} +${by}$`, 'm'))
    const json = await farthing(['sources', 'silent', '--json'], { env })
    expect([JSON.parse(json.stdout)]).toEqual(await silent())
    const told = await farthing(['sources', 'acknowledge', '/steady'], { env })
    expect(told).toMatchObject({ code: 0, stdout: '/steady is no warning any more.\n' })
    const again = await farthing(['sources', 'acknowledge', '/steady', '--json'], { env })
    expect([again.code, JSON.parse(again.stdout)]).toEqual([0, { source: '/steady' }])
  })

  test('and reports again is silent no more, and missed again when it stops again', async () => {
    logged = []
    await send('/steady', now)
    await pass(now + 1)
    expect(await silent()).toEqual([])
    await pass(now + 2)
    expect(await silent()).toMatchObject([
      { source: '/steady', silentSince: formatHourStart((now + 1) as Hour), acknowledgedBy: null },
    ])
    expect(logged.filter(({ level }) => level === 'warn')).toHaveLength(1)
  })

  test('and has been silent for a month is forgotten, and never by day', async () => {
    const { pool } = server.database
    const move = (hours: number) =>
      pool.query(
        'update source_presence set last_hour = last_hour - $1::int, silent_since = silent_since - $1::int',
        [hours],
      )
    // The last report was in the hour `now`; the next hour that is counted is now + 2.
    await move(SILENCE_HOURS_MAX - 2)
    await pass(now + 3)
    expect(await silent()).toMatchObject([{ source: '/steady' }])
    await pass(now + 4)
    expect(await silent()).toEqual([])
  })
})

describe('what a source has announced of an hour', () => {
  let own: TestServer
  const hour = now - 2
  beforeAll(async () => {
    own = server
    server = await testServer({ firstHour: (now - 4) as Hour })
    await send('/equal', hour, 3)
    await send('/short', hour, 2)
    await send('/more', hour, 2)
    await send('/unsaid', hour)
    for (const [source, events] of [
      ['/equal', 3],
      ['/short', 5],
      ['/more', 1],
      ['/none', 4],
    ] as const) {
      const { status, text } = await announce(source, hour, events)
      if (status !== 201) throw new Error(text)
    }
  })
  afterAll(async () => {
    await server.close()
    server = own
  })

  test('is compared with what arrived: equal, missing, surplus, or nothing announced', async () => {
    const { items } = await get(`/v1/cycles/${formatHour(hour as Hour)}/sources`)
    expect(
      items.map(({ source, state, announced, arrived, difference }: never) => [
        source,
        state,
        announced,
        arrived,
        difference,
      ]),
    ).toEqual([
      ['/equal', 'equal', 3, 3, 0],
      ['/more', 'surplus', 1, 2, 1],
      ['/none', 'missing', 4, 0, -4],
      ['/short', 'missing', 5, 2, -3],
      ['/unsaid', 'unannounced', null, 1, null],
    ])
    const first = await get(`/v1/cycles/${formatHour(hour as Hour)}/sources?limit=2`)
    const rest = await get(`/v1/cycles/${formatHour(hour as Hour)}/sources?limit=9&cursor=${first.next}`)
    expect([...first.items, ...rest.items]).toEqual(items)
  })

  test('is counted in the list of hours once the hour is sealed', async () => {
    expect(await manifestsOf(hour)).toEqual({ announced: 4, missing: 0, surplus: 0, uncounted: 4 })
    await pass(now)
    expect(await manifestsOf(hour)).toEqual({ announced: 4, missing: 2, surplus: 1, uncounted: 0 })
    expect(await manifestsOf(hour + 1)).toEqual({ announced: 0, missing: 0, surplus: 0, uncounted: 0 })
  })

  test('is complete when the missing events come late; held ones and repeats change nothing else', async () => {
    await send('/short', hour, 2)
    const held = requestEvent('h', {
      source: '/short',
      subject: '/short',
      time: at(hour, 5),
      data: { operation: 'Teleport', status: 200 },
    })
    expect((await server.send([held, held])).json).toMatchObject({ held: 1, duplicates: 1 })
    expect(await arrivedOf(hour, '/short')).toMatchObject({ state: 'equal', arrived: 5, late: 3 })
    // The late hour is sealed: the hour is counted again.
    await pass(now + 1)
    expect(await manifestsOf(hour)).toMatchObject({ missing: 1, surplus: 1 })
  })

  test('can be corrected: the newest counts, and what was said before is kept', async () => {
    expect((await announce('/more', hour, 2)).status).toBe(201)
    expect((await announce('/more', hour, 2)).status).toBe(200)
    expect(await arrivedOf(hour, '/more')).toMatchObject({ state: 'equal', version: 2 })
    await count()
    expect(await manifestsOf(hour)).toEqual({ announced: 4, missing: 1, surplus: 0, uncounted: 0 })
    await announce('/unsaid', hour, 2)
    expect(await manifestsOf(hour)).toMatchObject({ announced: 5, uncounted: 1 })
    await count()
    expect(await manifestsOf(hour)).toEqual({ announced: 5, missing: 2, surplus: 0, uncounted: 0 })
    const { items } = await get('/v1/manifests?source=/more')
    expect(items.map(({ version, events }: never) => [version, events])).toEqual([
      [1, 1],
      [2, 2],
    ])
  })

  test('announced by several at once is kept whole, one version after the other', async () => {
    const answers = await Promise.all([1, 2, 3, 4].map((events) => announce('/race', hour, events)))
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201])
    const { items } = await get('/v1/manifests?source=/race&limit=1000')
    expect(items.map(({ version }: never) => version)).toEqual([1, 2, 3, 4])
  })

  test('of past usage is compared, too, when that has its bills', async () => {
    const past = now - 1000
    await announce('/past', past, 1)
    await count()
    expect(await arrivedOf(past, '/past')).toMatchObject({ state: 'missing' })
    await send('/past', past)
    await server.settle()
    await run(server.database.pool, insertUncountedHour, { hour: past as Hour })
    await count()
    const { rows } = await server.database.pool.query('select events from source_count where hour = $1', [
      past,
    ])
    expect(rows).toEqual([{ events: '1' }])
  })

  test('must be of an hour that has begun, with a whole number of events and a source that events can have', async () => {
    const codeOf = async (...args: Parameters<typeof announce>) => (await announce(...args)).json.code
    expect(await codeOf('/a', now + 1, 1)).toBe('manifest/hour_out_of_range')
    expect(await codeOf('/a', '1999-12-31T23Z', 1)).toBe('manifest/hour_out_of_range')
    expect((await announce('/a', '2000-01-01T00Z', 1)).status).toBe(201)
    expect(await codeOf('/a', '2025-07-28T03:30:00Z', 1)).toBe('request/invalid_parameter')
    expect(await codeOf('', hour, 1)).toBe('manifest/invalid_source')
    expect(await codeOf('a\0', hour, 1)).toBe('manifest/invalid_source')
    expect(await codeOf('x'.repeat(513), hour, 1)).toBe('manifest/invalid_source')
    for (const events of [-1, 1.5, '7', 2 ** 53, null])
      expect(await codeOf('/a', hour, events)).toBe('request/invalid_body')
  })
})
