import type { Step } from './event-timeline.ts'
import { countOf, readableTime, safeText } from './readable-text.ts'
import type { TextLine } from './text-table.ts'

/** What the API says of one stored event: as much as is shown. */
export interface StoredEventView {
  readonly event: {
    readonly id: string
    readonly source: string
    readonly time: string
    readonly data: unknown
  }
  readonly steps: readonly Step[]
}

/** What the API says of events that were not accepted, equal ones once. */
export interface RefusedEventView {
  readonly times: number
  readonly firstAt: string
  readonly lastAt: string
  readonly outcome: string
  readonly source: string | null
  readonly id: string | null
  readonly detail: string
}

const TIME_WIDTH = '2025-07-28 03:04:05.678'.length

/** What became of an event, step by step: each with its time, if it is known. */
export function storedEventLines({ event, steps }: StoredEventView): readonly TextLine[] {
  return [
    { role: 'title', text: `Event ${safeText(event.id)} from ${safeText(event.source)}` },
    { role: 'note', text: safeText(JSON.stringify(event.data)) },
    ...steps.map((step) => stepLine(step.at, step.text)),
  ]
}

export function refusedEventLines(refused: RefusedEventView): readonly TextLine[] {
  const { times, firstAt, lastAt, outcome, source, id, detail } = refused
  const what = outcome === 'conflict' ? 'in conflict' : outcome
  const title = `Event ${safeText(id ?? '?')} from ${safeText(source ?? '?')}: ${what}`
  if (times === 1) return [{ role: 'mark', text: title }, stepLine(lastAt, detail)]
  return [
    { role: 'mark', text: `${title}, ${countOf(times, 'time')}` },
    stepLine(firstAt, detail),
    stepLine(lastAt, 'The same again, last at this time.'),
  ]
}

function stepLine(at: string | null, text: string): TextLine {
  const time = at === null ? '' : readableTime(at)
  return { role: 'plain', text: `  ${time.padEnd(TIME_WIDTH)}  ${safeText(text)}`, hang: TIME_WIDTH + 4 }
}
