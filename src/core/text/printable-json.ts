/**
 * Characters that JSON leaves as they are, and that a terminal obeys or hides: C1 controls, marks that turn the direction of a
 * line, and everything else without a shape. JSON has escaped the others (C0) already.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** JSON that says the same, and can be shown anywhere. */
export function printableJson(value: unknown, indent?: number): string {
  return escapeUnseen(JSON.stringify(value, null, indent))
}

/** Text on which a terminal does nothing but go to the next line. Within JSON the escapes mean what they stand for. */
export function escapeUnseen(text: string): string {
  return text.replaceAll(UNSEEN, (character) => (character === '\n' ? character : escaped(character)))
}

/** By its UTF-16 units: those beyond U+FFFF have two. */
function escaped(character: string): string {
  return [...Array(character.length).keys()]
    .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
    .join('')
}
