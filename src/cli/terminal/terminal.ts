import { printableJson } from '../../core/text/printable-json.ts'
import { styleText } from 'node:util'
import type { Role, TextLine } from '../../core/present/text-table.ts'
import { wrapTo } from '../../core/present/text-width.ts'
import { mannerNow } from './manner.ts'

/** Both a terminal and a pipe, as far as commands care. */
export interface Output {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

type Style = Parameters<typeof styleText>[0]

/** Good news, something to look at, bad news. */
export type Colour = 'green' | 'yellow' | 'red'

const STYLES: Readonly<Partial<Record<Role, Style>>> = {
  title: 'bold',
  heading: 'dim',
  note: 'dim',
  total: 'bold',
  mark: 'yellow',
}

/** Of a terminal that does not say how wide it is. */
const COLUMNS = 80

/**
 * Colours are for terminals, unless `--no-color` is there, NO_COLOR is set to anything (no-color.org) or the terminal is
 * dumb.
 */
export function hasColours(output: Output, env: NodeJS.ProcessEnv = process.env): boolean {
  return mannerNow().colours && output.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb'
}

/** A result: lines of text to standard output, set off by what they are. */
export function printLines(lines: readonly TextLine[], output: Output = process.stdout): void {
  const widthMax = tableWidth(output) ?? Number.POSITIVE_INFINITY
  const text = lines
    .flatMap((line) => wrapLine(line, widthMax).map((part) => ({ part, style: STYLES[line.role] })))
    .map(({ part, style }) => (style && part ? styled(part, style, output) : part))
  output.write(`${text.join('\n')}\n`)
}

/** A result in one line, to standard output. */
export function print(text: string, colour?: Colour): void {
  process.stdout.write(`${colour ? styled(text, colour, process.stdout) : text}\n`)
}

/** For programs: one JSON value, as the API has it. */
export function printJson(value: unknown, output: Output = process.stdout): void {
  output.write(`${printableJson(value, 2)}\n`)
}

/** To standard error, and not with `--quiet`: what is good to know besides the result. */
export function remark(text: string, colour?: Colour): void {
  if (!mannerNow().quiet) complain(text, colour)
}

/** To standard error, always: what is wrong, or somebody has to look at. */
export function complain(text: string, colour?: Colour): void {
  process.stderr.write(`${colour ? styled(text, colour, process.stderr) : text}\n`)
}

/**
 * What a command has done or found, in a sentence: the result, unless that is JSON for a program, which is not to be mixed
 * with anything.
 */
export function conclude(
  text: string,
  { json, colour }: { readonly json: boolean; readonly colour?: Colour },
): void {
  if (json) remark(text, colour)
  else print(text, colour)
}

/** The width that tables may use; undefined where nothing is cut: in a file or a pipe, and with `--wide`. */
export function tableWidth(output: Output = process.stdout): number | undefined {
  return output.isTTY && !mannerNow().wide ? output.columns || COLUMNS : undefined
}

/** Sentences are broken between words. Rows have their width already. */
function wrapLine({ role, text, hang }: TextLine, widthMax: number): readonly string[] {
  if (role !== 'note' && role !== 'plain' && role !== 'title') return [text]
  return wrapTo(text, widthMax, hang ?? /^ */.exec(text)![0].length)
}

function styled(text: string, style: Style, output: Output): string {
  return hasColours(output) ? styleText(style, text, { validateStream: false }) : text
}
