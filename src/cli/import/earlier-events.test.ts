import { expect, test } from 'vitest'
import type { TriedEvent } from '../../api/dry-run.ts'
import { EarlierEvents } from './earlier-events.ts'

const NEW: TriedEvent = {
  index: 0,
  id: 'a',
  outcome: 'accepted',
  code: null,
  detail: null,
  cycle: null,
  charges: [],
}

function line(id: string, time = '2025-07-28T02:10:00Z', status = 200): Buffer {
  return Buffer.from(JSON.stringify({ subject: 'a', source: 's', id, type: 't', time, data: { status } }))
}

test('a repeat of an earlier batch is a duplicate or a conflict; under another hour it is another event', () => {
  const earlier = new EarlierEvents()
  earlier.correct(NEW, line('a'))
  expect(earlier.correct(NEW, line('a')).outcome).toBe('accepted')
  earlier.endBatch()
  expect(earlier.correct(NEW, line('a')).outcome).toBe('duplicate')
  expect(earlier.correct(NEW, line('a', '2025-07-28T04:10:00+02:00')).outcome).toBe('duplicate')
  expect(earlier.correct(NEW, line('a', '2025-07-28T02:10:00.001Z')).outcome).toBe('conflict')
  expect(earlier.correct(NEW, line('a', undefined, 404)).outcome).toBe('conflict')
  expect(earlier.correct(NEW, line('a', '2025-07-28T03:10:00Z')).outcome).toBe('accepted')
  expect(earlier.correct({ ...NEW, outcome: 'rejected' }, Buffer.from('{')).outcome).toBe('rejected')
})

test('data in Base64 are what they say', () => {
  const encoded = (data: string) => {
    const common = { subject: 'a', source: 's', id: 'a', type: 't', time: '2025-07-28T02:10:00Z' }
    return Buffer.from(JSON.stringify({ ...common, data_base64: Buffer.from(data).toString('base64') }))
  }
  const earlier = new EarlierEvents()
  earlier.correct(NEW, encoded('{"status":200}'))
  earlier.endBatch()
  expect(earlier.correct(NEW, encoded('{ "status": 200.0 }')).outcome).toBe('duplicate')
  expect(earlier.correct(NEW, line('a')).outcome).toBe('duplicate')
  expect(earlier.correct(NEW, encoded('{"status":404}')).outcome).toBe('conflict')
})

test('so many identities are remembered, and no more', () => {
  const kept = 1_000
  const earlier = new EarlierEvents(kept)
  for (let number = 0; number <= kept; number++) earlier.correct(NEW, line(String(number)))
  earlier.endBatch()
  expect(earlier.correct(NEW, line(String(kept - 1))).outcome).toBe('duplicate')
  expect(earlier.correct(NEW, line(String(kept))).outcome).toBe('accepted')
})
