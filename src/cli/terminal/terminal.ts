import { styleText } from 'node:util'
import type { Role, TextLine } from '../../core/present/text-table.ts'

/** Both a terminal and a pipe, as far as commands care. */
export interface Output {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

type Style = Parameters<typeof styleText>[0]

const STYLES: Readonly<Partial<Record<Role, Style>>> = {
  title: 'bold',
  heading: 'dim',
  note: 'dim',
  total: 'bold',
  mark: 'yellow',
}

/** Colours are for terminals, unless NO_COLOR is set to anything (no-color.org) or the terminal is dumb. */
export function hasColours(output: Output, env: NodeJS.ProcessEnv = process.env): boolean {
  return output.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb'
}

/** Lines of text to standard output, set off by what they are. */
export function printLines(lines: readonly TextLine[], output: Output = process.stdout): void {
  const styled = hasColours(output)
  const text = lines.map((line) => {
    const style = STYLES[line.role]
    return styled && style && line.text ? styleText(style, line.text, { validateStream: false }) : line.text
  })
  output.write(`${text.join('\n')}\n`)
}

/** For programs: one JSON value, as the API has it. */
export function printJson(value: unknown, output: Output = process.stdout): void {
  output.write(`${JSON.stringify(value, null, 2)}\n`)
}

/** To standard error: what happened, for the person at the terminal. */
export function say(text: string, style?: 'red' | 'yellow' | 'green'): void {
  const styled = style && hasColours(process.stderr)
  process.stderr.write(`${styled ? styleText(style, text, { validateStream: false }) : text}\n`)
}

/** The width that tables may use; undefined when they go to a file or a pipe, where nothing is cut. */
export function tableWidth(output: Output = process.stdout): number | undefined {
  return output.isTTY ? output.columns : undefined
}
