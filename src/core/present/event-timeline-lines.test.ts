import { expect, test } from 'vitest'
import { refusedEventLines, storedEventLines } from './event-timeline-lines.ts'

test('an event and what became of it, each step with its time if that is known', () => {
  const lines = storedEventLines({
    event: { id: 'e-1', source: '/api', time: '2025-07-28T03:00:00.000Z', data: { status: 200 } },
    steps: [
      { at: '2025-07-28T03:00:01.250Z', code: null, text: 'Received.' },
      { at: null, code: null, text: 'Counted.' },
    ],
  })
  expect(lines.map(({ text }) => text)).toEqual([
    'Event e-1 from /api',
    '{"status":200}',
    '  2025-07-28 03:00:01.250  Received.',
    '                           Counted.',
  ])
})

test('an event that was not accepted, and why; nothing foreign reaches the terminal', () => {
  const at = '2025-07-28T03:00:01.000Z'
  const refused = { times: 1, firstAt: at, lastAt: at, detail: 'No time: send one.\u001b[2J' }
  const conflict = refusedEventLines({ ...refused, outcome: 'conflict', source: '/api', id: 'e-1' })
  expect(conflict.map(({ text }) => text)).toEqual([
    'Event e-1 from /api: in conflict',
    '  2025-07-28 03:00:01      No time: send one.\ufffd[2J',
  ])
  const [title] = refusedEventLines({ ...refused, outcome: 'rejected', source: null, id: null })
  expect(title!.text).toBe('Event ? from ?: rejected')
})

test('an event that was refused again and again is told once, with how often, first and last', () => {
  const refused = { times: 1200, firstAt: '2025-07-28T03:00:01.000Z', lastAt: '2025-07-28T04:00:00.000Z' }
  const lines = refusedEventLines({
    ...refused,
    outcome: 'rejected',
    source: '/api',
    id: 'e',
    detail: 'No time.',
  })
  expect(lines.map(({ text }) => text)).toEqual([
    'Event e from /api: rejected, 1,200 times',
    '  2025-07-28 03:00:01      No time.',
    '  2025-07-28 04:00         The same again, last at this time.',
  ])
})
