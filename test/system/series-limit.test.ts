import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testServer, type TestServer } from './http-server.ts'

// Guarantee: an account stores data in at most so many series, as a setting says, counted as of its last settled hour. A
// level of a further series is rejected, with the limit and what to do; one of a known series is always taken, and one of 0
// bytes too. Another account does not notice. A dry run says the same, and what is stored stays a duplicate.

const HOUR = 3_600_000
const MAX = 3
const LAST_HOUR = new Date(Date.now() - HOUR).toISOString()

let server: TestServer
beforeAll(async () => {
  server = await testServer({ seriesMax: MAX })
})
afterAll(() => server.close())

interface Series {
  readonly project?: string
  readonly dataset?: string
  readonly region?: string
}

let sent = 0
function level(subject: string, series: Series, bytes: string, more: object = {}): object {
  sent += 1
  return {
    specversion: '1.0',
    id: `level-${sent}`,
    source: 's',
    type: 'farthing.storage',
    subject,
    time: new Date().toISOString(),
    data: { bytes, ...series },
    ...more,
  }
}

/** The code of each, or what became of it. */
async function answer(events: readonly object[], query = ''): Promise<readonly string[]> {
  const { status, json } = await server.send(events, {}, query)
  expect(status).toBe(200)
  const { problems, duplicates } = json as {
    duplicates: number
    problems: { index: number; outcome: string; code: string }[]
  }
  const refused = new Map(
    problems.map(({ index, outcome, code }) => [index, outcome === 'rejected' ? code : outcome]),
  )
  const other = duplicates > 0 ? 'duplicate' : 'accepted'
  return events.map((_, index) => refused.get(index) ?? other)
}

/** An account with so many settled series d0, d1 …, and others that it has ended. */
async function storing(subject: string, series: number, ended: number = 0): Promise<void> {
  const live = Array.from({ length: series }, (_, number) =>
    level(subject, { dataset: `d${number}` }, '10', { time: LAST_HOUR }),
  )
  const gone = Array.from({ length: ended }, (_, number) => [
    level(subject, { dataset: `gone${number}` }, '10', { time: LAST_HOUR }),
    level(subject, { dataset: `gone${number}` }, '0', {
      time: new Date(Date.parse(LAST_HOUR) + 1).toISOString(),
    }),
  ])
  const all = [...live, ...gone.flat()]
  if (all.length === 0) return
  expect(new Set(await answer(all))).toEqual(new Set(['accepted']))
  await server.settle({ backfillQuietMs: 0 })
}

const REFUSED = 'event/too_many_series'
const CASES: readonly (readonly [
  what: string,
  series: number,
  ended: number,
  Series,
  string,
  said: string,
])[] = [
  ['the first series of all', 0, 0, { dataset: 'new' }, '10', 'accepted'],
  ['the last series that fits', MAX - 1, 0, { dataset: 'new' }, '10', 'accepted'],
  ['one more', MAX, 0, { dataset: 'new' }, '10', REFUSED],
  ['one more of a byte', MAX, 0, { dataset: 'new' }, '1', REFUSED],
  ['one more without names', MAX, 0, {}, '10', REFUSED],
  ['a known dataset in a new project', MAX, 0, { dataset: 'd0', project: 'new' }, '10', REFUSED],
  ['a known dataset in a new region', MAX, 0, { dataset: 'd0', region: 'new' }, '10', REFUSED],
  ['a new series where there are more than the limit', MAX + 2, 0, { dataset: 'new' }, '10', REFUSED],
  ['more of a known series', MAX, 0, { dataset: 'd0' }, '1000', 'accepted'],
  ['less of a known series', MAX, 0, { dataset: 'd0' }, '1', 'accepted'],
  ['the end of a known series', MAX, 0, { dataset: 'd0' }, '0', 'accepted'],
  ['the end of a known series beyond the limit', MAX + 2, 0, { dataset: 'd4' }, '0', 'accepted'],
  ['a known series that has ended', MAX, 1, { dataset: 'gone0' }, '10', 'accepted'],
  ['0 bytes of a new series', MAX, 0, { dataset: 'new' }, '0', 'accepted'],
  ['a new series where others have ended', MAX - 1, 4, { dataset: 'new' }, '10', 'accepted'],
]

describe('a level is judged by the series that are settled', () => {
  test.each(CASES)('%s', async (what, series, ended, of, bytes, said) => {
    await storing(what, series, ended)
    for (const time of [new Date().toISOString(), LAST_HOUR]) {
      const event = level(what, of, bytes, { time })
      expect(await answer([event], '?dryRun=true'), 'a dry run').toEqual([said])
      if (series + ended > 0 || time === LAST_HOUR) continue
      expect(await answer([event])).toEqual([said])
    }
    const event = level(what, of, bytes)
    expect(await answer([event])).toEqual([said])
    expect(await answer([event])).toEqual([said === 'accepted' ? 'duplicate' : said])
  })
})

test('only what would begin a series is refused of a batch, and usage of other kinds goes on', async () => {
  await storing('batch', MAX)
  const request = {
    ...level('batch', {}, '0'),
    type: 'farthing.request',
    data: { operation: 'SimpleQuery', status: 200, project: 'new' },
  }
  const events = [
    level('batch', { dataset: 'd0' }, '7'),
    level('batch', { dataset: 'new' }, '7'),
    request,
    level('other', { dataset: 'new' }, '7'),
    level('batch', { dataset: 'new2' }, '7'),
    level('batch', { dataset: 'd2' }, '0'),
  ]
  const said = ['accepted', REFUSED, 'accepted', 'accepted', REFUSED, 'accepted']
  expect(await answer(events, '?dryRun=true')).toEqual(said)
  expect(await answer(events)).toEqual(said)
})

test('a series fits when another one has ended and its hour is settled', async () => {
  await storing('ending', MAX)
  expect(await answer([level('ending', { dataset: 'new' }, '7')])).toEqual([REFUSED])
  const end = level('ending', { dataset: 'd0' }, '0', {
    time: new Date(Date.parse(LAST_HOUR) + 1).toISOString(),
  })
  expect(await answer([end])).toEqual(['accepted'])
  await server.settle({ backfillQuietMs: 0 })
  const { rows } = await server.database.pool.query(`select live from storage_count where account = 'ending'`)
  const isSettled = (rows[0] as { live: number }).live === MAX - 1
  expect(await answer([level('ending', { dataset: 'new' }, '7')])).toEqual([isSettled ? 'accepted' : REFUSED])
})

test('what was stored while there was room stays a duplicate, and other content a conflict', async () => {
  await storing('room', MAX - 1)
  const early = level('room', { dataset: 'early' }, '7', { time: LAST_HOUR })
  const later = level('room', { dataset: 'later' }, '7')
  expect(await answer([early, later])).toEqual(['accepted', 'accepted'])
  await server.database.pool.query(`update storage_count set live = ${MAX} where account = 'room'`)
  for (const query of ['?dryRun=true', '']) {
    expect(await answer([later], query)).toEqual(['duplicate'])
    expect(await answer([{ ...later, data: { bytes: '8', dataset: 'later' } }], query)).toEqual(['conflict'])
  }
})

test('the refusal names the limit and what to do, and is kept with the others', async () => {
  await storing('told', MAX)
  const { status, json } = await server.send(level('told', { dataset: 'new' }, '7'))
  expect([status, (json as { code: string }).code]).toEqual([400, REFUSED])
  expect((json as { detail: string }).detail).toBe(
    'The account stores data in 3 series (project, dataset and region) or more, and no new one is taken: end series with a level of 0 bytes, or raise FARTHING_STORED_SERIES.',
  )
  const { json: refused } = await server.ask('/v1/refused-events?account=told')
  expect(JSON.stringify(refused)).toContain(REFUSED)
})
