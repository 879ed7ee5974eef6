/** A place in a text, for people and editors: both count from 1, the column in UTF-16 units. */
export interface TextPlace {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** A function from offsets of the text, in UTF-16 units, to places. */
export function locator(text: string, file: string): (offset: number) => TextPlace {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return (offset) => {
    const index = lastAtOrBefore(starts, offset)
    return { file, line: index + 1, column: offset - starts[index]! + 1 }
  }
}

/** In reading order. */
export function byPlace(a: { readonly place: TextPlace }, b: { readonly place: TextPlace }): number {
  return a.place.line - b.place.line || a.place.column - b.place.column
}

/** The text of UTF-8 bytes without a byte order mark, or the text before the first byte that is not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | { readonly before: string } {
  const text = decode(bytes)
  // Undecodable bytes became U+FFFD, which encodes to other bytes than they were.
  const again = new TextEncoder().encode(text)
  const bom = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  const wrong = again.findIndex((byte, index) => byte !== bytes[bom + index])
  const isSame = wrong < 0 && again.length === bytes.length - bom
  return isSame ? text : { before: decode(bytes.subarray(0, wrong < 0 ? bytes.length : bom + wrong)) }
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder('utf-8').decode(bytes)
}

function lastAtOrBefore(starts: readonly number[], offset: number): number {
  let [low, high] = [0, starts.length - 1]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (starts[middle]! <= offset) low = middle
    else high = middle - 1
  }
  return low
}
