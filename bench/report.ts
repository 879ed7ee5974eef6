import { availableParallelism, cpus, totalmem } from 'node:os'
import { printJson, printLines } from '../src/cli/terminal/terminal.ts'
import { type Column, type TextLine, textTable } from '../src/core/present/text-table.ts'
import { type Figure, median } from './figures.ts'

/** Figures that were measured together, under one heading. */
export interface Part {
  readonly title: string
  readonly figures: readonly Figure[]
}

const COLUMNS: readonly Column[] = [
  { heading: 'measured', align: 'left' },
  { heading: 'median', align: 'right' },
  { heading: 'least', align: 'right' },
  { heading: 'most', align: 'right' },
  { heading: 'unit', align: 'left' },
  { heading: 'target', align: 'left' },
]

/** On stdout: a table for each part, or everything with each round's samples as JSON. */
export function printReport(parts: readonly Part[], json: boolean): void {
  if (json) return printJson({ machine: machine(), parts: parts.map(summarized) })
  printLines([{ role: 'note', text: machine() }, ...parts.flatMap(partLines)])
}

export function partLines({ title, figures }: Part): readonly TextLine[] {
  const rows = figures.map(({ name, unit, samples, target = '' }) => ({
    cells: [
      name,
      ...[median(samples), Math.min(...samples), Math.max(...samples)].map(readable),
      unit,
      target,
    ],
  }))
  return [{ role: 'plain', text: '' }, { role: 'title', text: title }, ...textTable(COLUMNS, rows)]
}

/** As many digits as mean something: noise is some per cent. */
export function readable(value: number): string {
  if (!Number.isFinite(value)) return '-'
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en')
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2)
}

function summarized({ title, figures }: Part) {
  const withMedians = figures.map((figure: Figure) => ({ ...figure, median: median(figure.samples) }))
  return { title, figures: withMedians }
}

function machine(): string {
  const cores = `${availableParallelism()} cores of ${cpus()[0]?.model.trim() ?? 'an unknown kind'}`
  return `${cores}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`
}
