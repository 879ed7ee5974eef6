import type { Json } from '../../core/text/canonical-json.ts'
import { bodyTurns } from '../../flows/thread-turns.ts'

/** From so many bytes on a body takes milliseconds to be taken apart: that waits for turns at the thread. */
export const LARGE_BODY_BYTES = 65_536

let last: Promise<unknown> = Promise.resolve()

/**
 * Take large bodies apart one after the other, although others have turns meanwhile: what a body becomes is several times
 * its bytes, and only what waits for its commit is bounded.
 */
export function oneAfterTheOther<Result>(work: () => Promise<Result>): Promise<Result> {
  const result = last.then(work)
  last = result.catch(() => undefined)
  return result
}

/** Characters that are parsed at once: well below a millisecond. */
const PIECE_CHARACTERS = 32_768
const OPENING = /^[ \t\n\r]*\[/
const CLOSING = /^[ \t\n\r]*$/

/**
 * The elements of a JSON list of objects, piece by piece, with turns for others between them. A piece ends between two
 * objects. Should that be within an element or a text, and not between two elements, the piece lacks an end and is no
 * list: so pieces that can all be parsed give what the whole would.
 * @returns undefined for everything else, a list that is damaged too: parse it as a whole, which says what is wrong
 */
export async function parseListInTurns(
  text: string,
  pieceCharacters = PIECE_CHARACTERS,
): Promise<readonly Json[] | undefined> {
  const opening = OPENING.exec(text)?.[0].length
  const closing = text.lastIndexOf(']')
  if (opening === undefined || closing < opening || !CLOSING.test(text.slice(closing + 1))) return undefined
  const between = /\}[ \t\n\r]*,[ \t\n\r]*\{/g
  const elements: Json[] = []
  for (let start = opening; start < closing;) {
    between.lastIndex = start + pieceCharacters
    const cut = between.exec(text)
    const piece = parseList(text.slice(start, cut ? cut.index + 1 : closing))
    if (piece === undefined) return undefined
    for (const element of piece) elements.push(element)
    start = cut ? between.lastIndex - 1 : closing
    await bodyTurns.isOver()
  }
  return elements
}

function parseList(elements: string): readonly Json[] | undefined {
  try {
    return JSON.parse(`[${elements}]`) as readonly Json[]
  } catch {
    return undefined
  }
}
