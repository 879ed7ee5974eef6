import { expect, test } from 'vitest'
import { hasColours, printLines } from './terminal.ts'

test('colours are for terminals, and NO_COLOR turns them off', () => {
  const terminal = { isTTY: true, write: () => true }
  expect(hasColours(terminal, {})).toBe(true)
  expect(hasColours(terminal, { NO_COLOR: '1' })).toBe(false)
  expect(hasColours(terminal, { NO_COLOR: '' })).toBe(true)
  expect(hasColours(terminal, { TERM: 'dumb' })).toBe(false)
  expect(hasColours({ write: () => true }, {})).toBe(false)
})

test('elsewhere lines are printed as they are', () => {
  const written: string[] = []
  const output = { write: (text: string) => written.push(text) }
  printLines(
    [
      { role: 'title', text: 'Bill' },
      { role: 'plain', text: '' },
    ],
    output,
  )
  expect(written).toEqual(['Bill\n\n'])
})
