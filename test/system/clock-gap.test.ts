import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { type Hour, hourOf } from '../../src/core/time/hour.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import { startBackgroundJobs } from '../../src/flows/background-jobs.ts'
import { judgeClockAtStart, sayClockIsRight } from '../../src/flows/settle/clock-watch.ts'
import { makePool } from '../../src/store/connect.ts'
import { requestEvent, testServer } from './http-server.ts'
import { makeClockMovable, movable, moveClock } from './moved-clock.ts'

// Guarantee: a server that starts alone seals nothing for good by a clock that is ahead: a gap delays sealing by one grace,
// usage that arrives far behind the clock stops it, and so does a difference to the process's own clock. A weekend off and
// a restored backup need nobody. What was sealed ahead is said.

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const GRACE_MS = 4_000
const SETTINGS = { graceMs: GRACE_MS, backfillQuietMs: 1_000, identityWindowMs: 62 * DAY }
const ALL_MS = 60_000

const cleanUp: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean()
})

type World = Awaited<ReturnType<typeof world>>

/** A deployment whose clock can be moved, as a server has left it that had settled everything. */
async function world() {
  const first = (hourOf(Date.now() as Instant) - 3) as Hour
  const server = await testServer({ firstHour: first, through: movable, graceMs: GRACE_MS })
  cleanUp.push(() => server.close())
  const pool = makePool(movable(server.database.connection))
  cleanUp.push(() => pool.end())
  await makeClockMovable(pool)
  const logged: string[] = []
  const note = (_: object, text: string) => void logged.push(text)
  const log = { info: note, warn: note, error: (_: object, text: string) => note(_, `ERROR ${text}`) }
  const readiness = async () => (await server.ask('/readyz')).json
  const one = {
    server,
    pool,
    logged,
    readiness,
    /** @param ownClock of the process */
    start(ownClock: () => number = Date.now) {
      const jobs = startBackgroundJobs({ pool, log, ...SETTINGS, ownClock })
      cleanUp.push(() => jobs.stop())
      return jobs
    },
    /** The clock of database and process together, as on one machine. */
    async startAhead(ms: number) {
      await moveClock(pool, `${ms} milliseconds`)
      // The server learns the clock by what it stores; this one has been there before. Such usage says nothing.
      await one.send(-2 * HOUR)
      return one.start(() => Date.now() + ms)
    },
    async until(is: () => Promise<boolean>) {
      for (const from = performance.now(); !(await is()); await sleep(50)) {
        if (performance.now() - from > ALL_MS) {
          throw new Error(`never happened; ${JSON.stringify(await readiness())}\n${logged.join('\n')}`)
        }
      }
    },
    untilSealing: (state: string) => one.until(async () => (await readiness()).sealing === state),
    async sealed(): Promise<number> {
      const { rows } = await pool.query<{ sealed: number }>('select sealed_until as sealed from deployment')
      return rows[0]!.sealed
    },
    /** Usage of now, by the true clock or one that is ahead of it. */
    async send(aheadMs: number, headers: Record<string, string> = {}) {
      const time = new Date(Date.now() + aheadMs).toISOString()
      const event = requestEvent(`${aheadMs}-${performance.now()}`, { time })
      expect((await server.send([event], { headers })).json.accepted).toBe(1)
    },
    async metric(name: string): Promise<number> {
      const { text } = await server.ask('/metrics')
      return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
    },
  }
  const jobs = one.start()
  await one.until(async () => (await one.sealed()) >= due(0))
  await jobs.stop()
  logged.length = 0
  return one
}

/** Hours before it are due by a clock that is ahead by so much. */
function due(aheadMs: number): number {
  return hourOf((Date.now() + aheadMs - GRACE_MS) as Instant)
}

async function sealsAll(one: World, aheadMs: number): Promise<void> {
  await one.until(async () => (await one.sealed()) >= due(aheadMs))
  expect((await one.readiness()).sealing).toBe('running')
}

describe('a clock that is ahead, at a server that starts alone', () => {
  test.each([
    ['a day', DAY],
    ['an hour and a minute', HOUR + MINUTE],
    ['a month', 30 * DAY],
  ])('by %s: usage that arrives stops sealing until the clock is back', async (_, ahead) => {
    const one = await world()
    const before = await one.sealed()
    await one.startAhead(ahead)
    await one.untilSealing('delayed')
    expect(await one.metric('farthing_sealing_delayed')).toBe(1)
    expect((await one.readiness()).reasons).toEqual([
      expect.stringMatching(/^No live hour is sealed until .*: the database clock was last seen at /),
    ])
    await one.send(0)
    await one.untilSealing('stopped')
    const { ready, reasons } = await one.readiness()
    expect([ready, reasons]).toEqual([true, [expect.stringContaining('newest arriving usage was of')]])
    await sleep(GRACE_MS + 1_500)
    expect(await one.sealed()).toBe(before)
    await moveClock(one.pool, '0')
    await one.untilSealing('running')
    expect(await one.sealed()).toBeLessThanOrEqual(due(0))
    expect(one.logged.filter((line) => line.startsWith('ERROR'))).toEqual([])
  })

  test('a restart accepts nothing: the alarm stays, until the clock was set back', async () => {
    const one = await world()
    const before = await one.sealed()
    const jobs = await one.startAhead(DAY)
    await one.untilSealing('delayed')
    await one.send(0)
    await one.untilSealing('stopped')
    await jobs.stop()
    await judgeClockAtStart(one.pool)
    const again = one.start(() => Date.now() + DAY)
    await sleep(GRACE_MS + 1_500)
    expect([(await one.readiness()).sealing, await one.sealed()]).toEqual(['stopped', before])
    await again.stop()
    await moveClock(one.pool, '0')
    await judgeClockAtStart(one.pool)
    one.start()
    await one.untilSealing('running')
    expect(await one.sealed()).toBeLessThanOrEqual(due(0))
  })

  test('a clock that was put right during the delay is accepted at once, and a restart does not prolong one', async () => {
    const one = await world()
    const jobs = await one.startAhead(DAY)
    await one.untilSealing('delayed')
    const [reason] = (await one.readiness()).reasons
    await jobs.stop()
    const again = await one.startAhead(DAY)
    await sleep(1_200)
    expect((await one.readiness()).reasons).toEqual([reason])
    await again.stop()
    await one.startAhead(0)
    await one.untilSealing('running')
    expect(await one.sealed()).toBeLessThanOrEqual(due(0))
  })
})

describe('a gap alone', () => {
  test('a weekend off: sealing waits for one grace, with a warning', async () => {
    const one = await world()
    const before = await one.sealed()
    const began = performance.now()
    await one.startAhead(3 * DAY)
    await one.untilSealing('delayed')
    expect((await one.readiness()).ready).toBe(true)
    expect(await one.sealed()).toBe(before)
    await sealsAll(one, 3 * DAY)
    expect(performance.now() - began).toBeGreaterThan(GRACE_MS)
    expect(one.logged).toContain('Nobody has seen the database clock for a while: sealing waits')
  })

  test.each<[string, (one: World) => Promise<void>]>([
    ['live usage', (one) => one.send(3 * DAY)],
    ['usage of half an hour ago', (one) => one.send(3 * DAY - HOUR / 2)],
    ['an import of what happened meanwhile', (one) => one.send(DAY, { 'farthing-import': 'weekend-logs' })],
    ['old usage of before the gap', (one) => one.send(-2 * HOUR)],
  ])('with %s: no alarm', async (_, send) => {
    const one = await world()
    await one.startAhead(3 * DAY)
    await one.untilSealing('delayed')
    await send(one)
    await sealsAll(one, 3 * DAY)
    expect(one.logged.filter((line) => line.startsWith('Usage that arrives'))).toEqual([])
  })

  test('with usage that waited at its senders: the first that is fresh ends the alarm', async () => {
    const one = await world()
    await one.startAhead(3 * DAY)
    await one.untilSealing('delayed')
    await one.send(DAY)
    await one.untilSealing('stopped')
    await one.send(3 * DAY)
    await sealsAll(one, 3 * DAY)
  })

  test('of a restored backup, in which nobody has noted the clock: the same', async () => {
    const one = await world()
    await one.pool.query('delete from clock_watch')
    await one.pool.query('insert into clock_watch default values')
    const before = await one.sealed()
    await one.startAhead(3 * DAY)
    await one.untilSealing('delayed')
    expect(await one.sealed()).toBe(before)
    await sealsAll(one, 3 * DAY)
  })

  test('ends when a person says that the clock is right', async () => {
    const one = await world()
    await one.startAhead(3 * DAY)
    await one.untilSealing('delayed')
    expect(await sayClockIsRight(one.pool, 'cli:maria')).toBe(true)
    await sealsAll(one, 3 * DAY)
  })

  test('of less than an hour is none', async () => {
    const one = await world()
    await one.startAhead(50 * MINUTE)
    await sleep(1_500)
    expect((await one.readiness()).sealing).not.toBe('delayed')
    expect(one.logged.filter((line) => line.includes('for a while'))).toEqual([])
  })
})

describe('a difference between the clocks of database and process', () => {
  test.each([
    ['behind', -6 * MINUTE],
    ['ahead', 6 * MINUTE],
    ['behind by a day', -DAY],
  ])(
    'a process whose clock is %s stops sealing until a person accepts it, for later starts too',
    async (_, by) => {
      const one = await world()
      const jobs = one.start(() => Date.now() + by)
      await one.untilSealing('stopped')
      expect((await one.readiness()).reasons[0]).toContain('the clock of a Farthing process')
      expect(await one.metric('farthing_sealing_stopped')).toBe(1)
      expect(await sayClockIsRight(one.pool, 'cli:maria')).toBe(true)
      await one.untilSealing('running')
      await jobs.stop()
      one.start(() => Date.now() + by)
      await sleep(1_500)
      expect((await one.readiness()).sealing).toBe('running')
    },
  )

  test('four minutes are none', async () => {
    const one = await world()
    one.start(() => Date.now() - 4 * MINUTE)
    await sleep(1_500)
    expect((await one.readiness()).sealing).toBe('running')
  })

  test('the alarm ends when the process’s clock is right, or another takes its place', async () => {
    const one = await world()
    let by = -HOUR
    const jobs = one.start(() => Date.now() + by)
    await one.untilSealing('stopped')
    by = 0
    await one.untilSealing('running')
    by = -HOUR
    await one.untilSealing('stopped')
    await jobs.stop()
    one.start()
    await one.untilSealing('running')
  })
})

test('hours that were sealed ahead of a clock that was set back are said', async () => {
  const one = await world()
  expect(await one.metric('farthing_sealed_ahead_seconds')).toBe(0)
  const jobs = await one.startAhead(DAY)
  await sealsAll(one, DAY)
  await jobs.stop()
  await one.startAhead(0)
  await one.until(async () => (await one.readiness()).reasons.length > 0)
  expect(await one.readiness()).toMatchObject({
    ready: true,
    sealing: 'running',
    reasons: [expect.stringMatching(/^Hours are sealed until .*: it was ahead\./)],
  })
  const ahead = await one.metric('farthing_sealed_ahead_seconds')
  expect(ahead).toBeGreaterThan((22 * HOUR) / 1_000)
  expect(ahead).toBeLessThanOrEqual(DAY / 1_000)
  const { items } = (await one.server.ask('/v1/cycles?limit=1000')).json
  const flags = items.map(({ sealedAhead }: { sealedAhead: boolean }) => sealedAhead)
  expect(flags.filter(Boolean).length).toBeGreaterThanOrEqual(23)
  expect(flags[0]).toBe(true)
  expect(flags.at(-1)).toBe(false)
})
