import type { Step } from './event-story.ts'
import { readableTime, safeText } from './readable-text.ts'
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

/** What the API says of an event that was not accepted. */
export interface RefusedEventView {
  readonly receivedAt: string
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
  const { receivedAt, outcome, source, id, detail } = refused
  return [
    {
      role: 'mark',
      text: `Event ${safeText(id ?? '?')} from ${safeText(source ?? '?')}: ${outcome === 'conflict' ? 'in conflict' : outcome}`,
    },
    stepLine(receivedAt, detail),
  ]
}

function stepLine(at: string | null, text: string): TextLine {
  const time = at === null ? '' : readableTime(at)
  return { role: 'plain', text: `  ${time.padEnd(TIME_WIDTH)}  ${safeText(text)}` }
}
