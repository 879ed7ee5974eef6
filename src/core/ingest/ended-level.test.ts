import { expect, test } from 'vitest'
import { compareLevels, type Level } from '../meter/level.ts'
import { decimal, ZERO } from '../money/decimal.ts'
import type { Instant } from '../time/instant.ts'
import { accept } from './accept.ts'
import { endOfSeries } from './ended-level.ts'
import { isRejection } from './rejection.ts'
import { BUILT_IN_EVENT_TYPES } from './usage.ts'

const at = Date.UTC(2025, 6, 28, 3) as Instant
const end = { account: 'acme', project: 'photos', dataset: '2026', region: 'eu', at, over: undefined }
const digest = (text: string) => `digest of ${text.length}`

function levelOf(event: { source: string; id: string }, bytes: string): Level {
  return { project: 'photos', dataset: '2026', region: 'eu', at, bytes: decimal(bytes), ...event }
}

test('the end of a series is a level of 0 bytes', () => {
  expect(endOfSeries(end, digest)).toMatchObject({
    account: 'acme',
    source: 'farthing:closed',
    id: '["2025-07-28T03:00:00.000Z","photos","2026","eu"]',
    type: 'farthing.storage',
    at,
    data: '{"bytes":"0","dataset":"2026","project":"photos","region":"eu"}',
    usage: { component: 'storage', bytes: ZERO, dataset: '2026', project: 'photos', region: 'eu' },
  })
  expect(endOfSeries({ ...end, project: null, dataset: null, region: null }, digest).data).toBe(
    '{"bytes":"0"}',
  )
})

test('ends of different series have different ids, whatever their names are made of', () => {
  const names = [null, '', '"', '","', 'a', '\\', 'a","b', '\u0001'.repeat(250), '\u0002'.repeat(250)]
  const series = names.flatMap((project) =>
    names.flatMap((dataset) =>
      names.map((region) => {
        const { id } = endOfSeries({ ...end, project, dataset, region }, (text) => text)
        return [id, `${project ?? ''}\0${dataset ?? ''}\0${region ?? ''}`] as const
      }),
    ),
  )
  expect(new Set(series.map(([id]) => id)).size).toBe(new Set(series.map(([, name]) => name)).size)
})

test('no id is longer than that of any event', () => {
  const long = { ...end, project: '\u0001'.repeat(255), dataset: '"'.repeat(255) }
  expect(endOfSeries(long, digest).id).toBe('["2025-07-28T03:00:00.000Z","digest of 2052"]')
})

test('one that outdoes another level is in force after it, and after all that come before that one', () => {
  for (const over of ['a', 'farthing:closed0', 'media/eu', 'z', '\u{10ffff}']) {
    const stored = levelOf({ source: over, id: '\u{10ffff}' }, '5')
    const ends = levelOf(endOfSeries({ ...end, over }, digest), '0')
    const others = ['a', 'b', over].filter((source) => source <= over)
    for (const source of others) expect(compareLevels(levelOf({ source, id: 'zzz' }, '5'), ends)).toBe(-1)
    expect(compareLevels(stored, ends)).toBe(-1)
  }
})

test('nobody else can use such a source', () => {
  const event = {
    specversion: '1.0',
    id: '1',
    type: 'farthing.storage',
    subject: 'acme',
    time: '2025-07-28T03:00:00Z',
    data: { bytes: '5' },
  }
  const context = { receivedAt: at, eventTypes: BUILT_IN_EVENT_TYPES }
  const sources = [
    'farthing:closed',
    'media/farthing:closed',
    'farthing:closed/media',
    'farthing:close',
    'farthing',
  ]
  const refused = sources.map((source) => {
    const read = accept({ ...event, source }, context)
    return isRejection(read) ? read.code : undefined
  })
  expect(refused).toEqual(['event/reserved_source', 'event/reserved_source', undefined, undefined, undefined])
})
