import { countOf, readableNumber } from '../../core/present/readable-text.ts'
import { mannerNow } from './manner.ts'
import type { Output } from './terminal.ts'

/** How far a long piece of work is. */
export interface Progress {
  /** 0 to 1; undefined when the end is not known. */
  readonly share: number | undefined
  /** What is being done: `12,000 events`. */
  readonly text: string
}

const BAR_WIDTH = 30
const TERMINAL_MS = 100
const PLAIN_MS = 5_000

/** Work that is shown. */
export interface Shown {
  /** Make room for other lines: the bar comes back by itself. */
  clear(): void
  /** The work has ended: the bar is cleared away. */
  end(): void
}

/**
 * Show how far work is, on standard error: a bar on a terminal, else a line every few seconds.
 * @param read asked whenever it is shown
 */
export function showProgress(read: () => Progress, output: Output = process.stderr): Shown {
  if (mannerNow().quiet) return { clear() {}, end() {} }
  if (!output.isTTY) {
    const timer = setInterval(() => output.write(`${plainLine(read())}\n`), PLAIN_MS)
    timer.unref()
    return { clear() {}, end: () => clearInterval(timer) }
  }
  const draw = () => output.write(`${CLEAR_LINE}${bar(read(), output.columns ?? 80)}`)
  draw()
  const timer = setInterval(draw, TERMINAL_MS)
  timer.unref()
  const clear = () => void output.write(CLEAR_LINE)
  return {
    clear,
    end() {
      clearInterval(timer)
      clear()
    },
  }
}

const CLEAR_LINE = '\r\u001b[K'

/** `[##########--------------------]  33%  12,000 events`, cut to one line of the terminal. */
export function bar({ share, text }: Progress, columns: number): string {
  if (share === undefined) return text.slice(0, columns - 1)
  const done = Math.round(BAR_WIDTH * Math.min(share, 1))
  const drawn = `${'#'.repeat(done)}${'-'.repeat(BAR_WIDTH - done)}`
  return `[${drawn}] ${percent(share).padStart(4)}  ${text}`.slice(0, columns - 1)
}

function plainLine({ share, text }: Progress): string {
  return share === undefined ? text : `${percent(share)}: ${text}`
}

function percent(share: number): string {
  return `${Math.floor(Math.min(share, 1) * 100)}%`
}

/** `1,200 events, 400 a second`. */
export function pace(count: number, unit: string, sinceMs: number): string {
  const seconds = (performance.now() - sinceMs) / 1000
  const rate = seconds > 0.5 ? `, ${readableNumber(String(Math.round(count / seconds)))} a second` : ''
  return `${countOf(count, unit)}${rate}`
}
