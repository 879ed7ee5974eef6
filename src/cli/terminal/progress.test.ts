import { expect, test, vi } from 'vitest'
import { bar, showProgress } from './progress.ts'

test('a bar fits into the terminal, and is left out when the end is not known', () => {
  expect(bar({ share: 0.335, text: '12 events' }, 80)).toBe(
    '[##########--------------------]  33%  12 events',
  )
  expect(bar({ share: 7, text: 'done' }, 80)).toBe('[##############################] 100%  done')
  expect(bar({ share: 0, text: 'x'.repeat(100) }, 60)).toHaveLength(59)
  expect(bar({ share: undefined, text: '12 events' }, 80)).toBe('12 events')
})

function output(isTTY: boolean) {
  const written: string[] = []
  return { written, isTTY, columns: 60, write: (text: string) => written.push(text) }
}

test('on a terminal the bar is drawn over itself, and cleared away', () => {
  vi.useFakeTimers()
  const terminal = output(true)
  const shown = showProgress(() => ({ share: 0.5, text: 'half' }), terminal)
  vi.advanceTimersByTime(250)
  shown.end()
  vi.advanceTimersByTime(1000)
  vi.useRealTimers()
  expect(terminal.written).toHaveLength(4)
  expect(terminal.written[0]).toBe(`\r\u001b[K[${'#'.repeat(15)}${'-'.repeat(15)}]  50%  half`)
  expect(terminal.written.at(-1)).toBe('\r\u001b[K')
})

test('elsewhere a plain line comes every few seconds, so that short work says nothing', () => {
  vi.useFakeTimers()
  const pipe = output(false)
  const shown = showProgress(() => ({ share: 0.5, text: 'half' }), pipe)
  vi.advanceTimersByTime(4_000)
  expect(pipe.written).toEqual([])
  vi.advanceTimersByTime(7_000)
  shown.end()
  vi.advanceTimersByTime(60_000)
  vi.useRealTimers()
  expect(pipe.written).toEqual(['50%: half\n', '50%: half\n'])
})
