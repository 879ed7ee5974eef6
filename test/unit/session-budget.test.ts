import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { judgeRoom, sessionBudget, SESSIONS } from '../../src/store/session-budget.ts'

function together(sessions: number): number {
  const { heartbeat, probes, writing, reading, largeThread, settling } = sessionBudget(sessions)
  return heartbeat + probes + writing + reading + 2 * largeThread + settling
}

test('a process never opens more sessions than it is told, and each part has what it needs', () => {
  for (let sessions = SESSIONS.min; sessions <= SESSIONS.max; sessions++) {
    const { heartbeat, probes, writing, reading, largeThread, settling } = sessionBudget(sessions)
    expect(together(sessions)).toBeLessThanOrEqual(sessions)
    expect(together(sessions)).toBeGreaterThanOrEqual(sessions - 1)
    expect([heartbeat, probes]).toEqual([1, 3])
    expect([writing >= 4, reading >= 3, largeThread >= 1, settling >= 3]).toEqual([true, true, true, true])
  }
})

test('three processes fit into a PostgreSQL as it comes', () => {
  expect(3 * SESSIONS.fallback).toBeLessThanOrEqual(100 - 3 - 20)
})

test('the page has the table', () => {
  const page = readFileSync('docs/operations.md', 'utf8')
  const rows = page.split('\n').filter((line) => /^\| .* \| ?(?:`farthing[a-z-]*`)? \| \**\d/.test(line))
  const numbers = rows.map((row) =>
    row
      .split('|')
      .slice(3, 6)
      .map((cell) => Number(cell.replaceAll('*', ''))),
  )
  const columns = [16, 24, 48].map((sessions) => {
    const { heartbeat, probes, writing, reading, largeThread, settling } = sessionBudget(sessions)
    return [heartbeat, probes, writing, reading, 2 * largeThread, settling, together(sessions)]
  })
  expect(numbers).toEqual(columns[0]!.map((_, row) => columns.map((column) => column[row]!)))
})

const ROOM = { max_connections: 100, reserved: 3, of_role: null, of_database: null }

for (const [name, room, sessions, says] of [
  ['just enough', { ...ROOM, max_connections: 27 }, 24, undefined],
  [
    'one too few',
    { ...ROOM, max_connections: 26 },
    24,
    'max_connections is 26, of which 3 are reserved): raise max_connections, or set FARTHING_SESSIONS to 23.',
  ],
  ['far too few', { ...ROOM, max_connections: 18 }, 24, 'raise max_connections.'],
  ['many reserved', { ...ROOM, reserved: 80 }, 24, 'of which 80 are reserved'],
  [
    'a role with few',
    { ...ROOM, of_role: 20 },
    24,
    'its role may have 20): raise the connection limit of the role, or set FARTHING_SESSIONS to 20.',
  ],
  ['a role with none', { ...ROOM, of_role: 0 }, 16, 'raise the connection limit of the role.'],
  ['a database with few', { ...ROOM, of_database: 5 }, 16, 'raise the connection limit of the database.'],
  ['few of many limits', { ...ROOM, of_role: 50, of_database: 30 }, 40, 'FARTHING_SESSIONS to 30'],
  ['no limit', ROOM, 97, undefined],
] as const) {
  test(`a database is judged by its least limit: ${name}`, () => {
    expect(judgeRoom(room, sessions)?.detail ?? '').toContain(says ?? '')
    expect(judgeRoom(room, sessions)?.ok).toBe(says === undefined ? undefined : false)
  })
}
