/** A description as it is written in code, in one paragraph: commander breaks the lines. */
export function prose(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}

/** Columns of the narrowest terminal that help is written for. */
const COLUMNS = 80

/** For the end of a command's help: each example with what it does beside it, or below where that is too wide. */
export function examples(...lines: readonly (readonly [command: string, does: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length))
  const beside = lines.map(([command, does]) => `  ${command.padEnd(width)}  ${does}`)
  const isNarrow = beside.every((line) => line.length <= COLUMNS)
  const shown = isNarrow ? beside : lines.flatMap(([command, does]) => [`  ${command}`, `      ${does}`])
  return ['', 'Examples:', ...shown].join('\n')
}
