import { isUtf8 } from 'node:buffer'
import type { Json } from '../../core/text/canonical-json.ts'
import { bodyTurns } from '../../flows/shared/thread-turns.ts'

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

/** Bytes that are parsed at once: well below a millisecond. */
const PIECE_BYTES = 32_768
const BYTE_ORDER_MARK = Buffer.from('\ufeff')
const BLANKS: readonly (number | undefined)[] = [...Buffer.from(' \t\n\r')]
const [OPENING, CLOSING, COMMA, BEGIN, END] = Buffer.from('[],{}') as unknown as readonly [
  number,
  number,
  number,
  number,
  number,
]

/** Elements of a list that follow each other. */
export interface ListPiece {
  readonly elements: readonly Json[]
  /** Their bytes, with the commas between them. */
  readonly bytes: Buffer
}

/**
 * A JSON list of objects, piece by piece, with turns for others between them. A piece ends between two
 * objects. Should that be within an element or a text, and not between two elements, the piece lacks an end and is no
 * list: so pieces that can all be parsed give what the whole would. The whole is never made a text, for which memory
 * would be fetched from the system and given back each time.
 * @returns undefined for everything else, a list that is damaged too: parse it as a whole, which says what is wrong
 */
export async function parseListInTurns(
  body: Buffer,
  pieceBytes = PIECE_BYTES,
): Promise<readonly ListPiece[] | undefined> {
  const opening = afterBlanks(body, startsMarked(body) ? BYTE_ORDER_MARK.length : 0)
  let closing = body.length - 1
  while (BLANKS.includes(body[closing])) closing--
  if (body[opening] !== OPENING || body[closing] !== CLOSING || !isUtf8(body)) return undefined
  const pieces: ListPiece[] = []
  for (let start = opening + 1; start < closing;) {
    const cut = findCut(body, start + pieceBytes)
    const bytes = body.subarray(start, cut?.end ?? closing)
    const elements = parseList(textOfPiece(bytes))
    if (elements === undefined) return undefined
    pieces.push({ elements, bytes })
    start = cut?.next ?? closing
    await bodyTurns.isOver()
  }
  return pieces
}

/** As a list of its own. */
export function textOfPiece(bytes: Buffer): string {
  return `[${bytes.toString('utf8')}]`
}

function startsMarked(body: Buffer): boolean {
  return BYTE_ORDER_MARK.equals(body.subarray(0, BYTE_ORDER_MARK.length))
}

/** Where one object ends, and the next begins. No byte of another character looks like one of these. */
function findCut(body: Buffer, from: number): { readonly end: number; readonly next: number } | undefined {
  for (let at = body.indexOf(END, from); at !== -1; at = body.indexOf(END, at + 1)) {
    const comma = afterBlanks(body, at + 1)
    if (body[comma] !== COMMA) continue
    const next = afterBlanks(body, comma + 1)
    if (body[next] === BEGIN) return { end: at + 1, next }
  }
  return undefined
}

function afterBlanks(body: Buffer, from: number): number {
  let at = from
  while (BLANKS.includes(body[at])) at++
  return at
}

function parseList(text: string): readonly Json[] | undefined {
  try {
    return JSON.parse(text) as readonly Json[]
  } catch {
    return undefined
  }
}
