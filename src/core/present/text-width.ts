import stringWidth from 'string-width'

const ASCII = /^[ -~]*$/

/** Columns that a text takes in a terminal: East Asian characters and emoji take two, combining marks none. */
export function widthOf(text: string): number {
  return ASCII.test(text) ? text.length : stringWidth(text)
}

/** The text in at most so many columns: `…` stands for what is left out. */
export function cutTo(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  return `${headOf(text, width - 1)}…`
}

/**
 * The words of a text in lines of at most so many columns; a word that is longer goes on in the next line.
 * @param hang blanks before every line but the first
 */
export function wrapTo(text: string, width: number, hang = 0): readonly string[] {
  if (widthOf(text) <= width) return [text]
  const lines: string[] = []
  let rest = text
  while (widthOf(rest) > width) {
    const blanks = lines.length === 0 ? (/^ */.exec(rest)?.[0].length ?? 0) : hang
    const head = headOf(rest, width + 1)
    const end = head.lastIndexOf(' ')
    // A blank that ends the line is no part of it; without one the word is broken.
    const line = end > blanks ? rest.slice(0, end) : headOf(rest, Math.max(width, blanks + 1))
    lines.push(line.trimEnd())
    rest = ' '.repeat(hang) + rest.slice(line.length).trimStart()
  }
  if (rest.trim() !== '') lines.push(rest)
  return lines
}

/** As many characters from the beginning as have room, at least one. */
function headOf(text: string, width: number): string {
  let head = ''
  for (const character of text) {
    if (head !== '' && widthOf(head + character) > width) break
    head += character
  }
  return head
}
