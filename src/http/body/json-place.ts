/**
 * Where a text stops being JSON: the offset of the first character that cannot stand there, or the length when
 * the text ends too early. JSON.parse does not always say. For texts that JSON.parse has refused; undefined for
 * valid ones.
 */
export function jsonErrorOffset(text: string): number | undefined {
  const reader = { text, at: 0 }
  /** The closing brackets that are awaited, innermost last: nesting needs no recursion. */
  const open: string[] = []
  let expects: Expectation = 'value'
  for (;;) {
    take(reader, /[ \t\n\r]*/y)
    if (expects === 'end' && reader.at === text.length) return undefined
    const next = step(reader, expects, open)
    if (next === undefined) return reader.at
    expects = next
  }
}

type Expectation = 'value' | 'value or ]' | 'key' | 'key or }' | ', or close' | 'end'

interface Reader {
  readonly text: string
  at: number
}

const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y
// oxlint-disable-next-line no-control-regex -- JSON has none in its strings
const STRING_BODY = /(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/y

/** Reads one token; undefined when it cannot stand there. Then `at` is where. */
function step(reader: Reader, expects: Expectation, open: string[]): Expectation | undefined {
  const character = reader.text[reader.at]
  switch (expects) {
    case 'end':
      return undefined
    case ', or close':
      return readSeparator(reader, open)
    case 'key or }':
      return character === '}' ? close(reader, open) : readKey(reader)
    case 'key':
      return readKey(reader)
    case 'value or ]':
      return character === ']' ? close(reader, open) : readValue(reader, open)
    case 'value':
      return readValue(reader, open)
  }
}

function readValue(reader: Reader, open: string[]): Expectation | undefined {
  const character = reader.text[reader.at]
  if (character === '{' || character === '[') {
    reader.at++
    open.push(character === '{' ? '}' : ']')
    return character === '{' ? 'key or }' : 'value or ]'
  }
  const isRead = character === '"' ? readString(reader) : take(reader, SCALAR)
  return isRead ? afterValue(open) : undefined
}

function readKey(reader: Reader): Expectation | undefined {
  if (!readString(reader)) return undefined
  take(reader, /[ \t\n\r]*/y)
  if (reader.text[reader.at] !== ':') return undefined
  reader.at++
  return 'value'
}

function readSeparator(reader: Reader, open: string[]): Expectation | undefined {
  const character = reader.text[reader.at]
  if (character === open.at(-1)) return close(reader, open)
  if (character !== ',') return undefined
  reader.at++
  return open.at(-1) === '}' ? 'key' : 'value'
}

function close(reader: Reader, open: string[]): Expectation {
  reader.at++
  open.pop()
  return afterValue(open)
}

function afterValue(open: readonly string[]): Expectation {
  return open.length === 0 ? 'end' : ', or close'
}

function readString(reader: Reader): boolean {
  if (reader.text[reader.at] !== '"') return false
  reader.at++
  take(reader, STRING_BODY)
  if (reader.text[reader.at] !== '"') return false
  reader.at++
  return true
}

/** Moves over what the sticky pattern matches; false when that is nothing. */
function take(reader: Reader, pattern: RegExp): boolean {
  pattern.lastIndex = reader.at
  const length = pattern.exec(reader.text)?.[0].length ?? 0
  reader.at += length
  return length > 0
}
