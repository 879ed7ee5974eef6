/** A description as it is written in code, in one paragraph: commander breaks the lines. */
export function prose(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}

/** For the end of a command's help: each example with what it does. */
export function examples(...lines: readonly (readonly [command: string, does: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length))
  return ['', 'Examples:', ...lines.map(([command, does]) => `  ${command.padEnd(width)}  ${does}`)].join(
    '\n',
  )
}
