import { gzipSync } from 'node:zlib'

/** Bodies that cost their sender little, and anyone who parses them much. Each has about so many bytes. */
export function hostileForms(bytes: number): ReadonlyMap<string, Buffer> {
  const repeat = (text: string, front = '', back = '') =>
    Buffer.concat([
      Buffer.from(front),
      Buffer.alloc(Math.max(0, bytes - front.length - back.length), text),
      Buffer.from(back),
    ])
  const members = Array.from({ length: Math.floor(bytes / 14) }, (_, at) => `"k${at}":${at % 10}`)
  return new Map([
    ['objects', repeat('{},', '[')],
    ['objects, whole', repeat('{},', '[', '{}]')],
    ['lists', repeat('[],', '[')],
    ['numbers', repeat('0,', '[')],
    ['texts', repeat('"",', '[')],
    ['elements full of objects', repeat(`[${'{},'.repeat(1_990)}{}],`, '[')],
    ['elements full of numbers', repeat(`[${'0,'.repeat(1_990)}0],`, '[')],
    ['depth', repeat('[')],
    ['depth of objects', repeat('{"a":')],
    ['depth in an element', repeat('[', '[{},', '')],
    ['an object of many keys', Buffer.from(`{${members.join(',')}}`)],
    ['an element of many keys', Buffer.from(`[{${members.join(',')}}]`)],
    ['one text', repeat('x', '"', '"')],
    ['one text that does not end', repeat('x', '"')],
    ['one text in a list', repeat('x', '["', '"]')],
    ['an exponent', repeat('9', '[1e', ']')],
    ['digits', repeat('9')],
    ['digits in a list', repeat('9', '[', ']')],
    ['long numbers', repeat('0.1234567890123456,', '[[', '0]]')],
    ['escapes', repeat('\\u0000', '["', '"]')],
    ['surrogates', repeat('\\ud800', '["', '"]')],
    ['backslashes', repeat('\\', '["')],
    ['what is not UTF-8', repeat('\xff', '["', '"]')],
    [
      'what is not UTF-8 at the end',
      Buffer.concat([repeat('{}, ', '[0', ',"'), Buffer.from([0xff, 0x22, 0x5d])]),
    ],
    ['blanks', repeat(' ')],
    ['line breaks', repeat('\n')],
    ['lines of one character', repeat('1\n')],
    ['lines of objects', repeat('{}\n')],
    ['lines of no-break spaces', repeat('\u00a0\n')],
    ['one line', repeat('{"a":1},')],
    ['commas', repeat(',', '[')],
    ['colons', repeat(':', '{"a"')],
    ['closing brackets', repeat(']')],
    ['zeros', Buffer.alloc(bytes)],
  ])
}

/** The same for a member of an object, as clients of Lago send events. */
export function hostileLago(bytes: number): ReadonlyMap<string, Buffer> {
  const within = (name: string, list: Buffer) =>
    Buffer.concat([Buffer.from(`{"${name}":`), list, Buffer.from('}')])
  const forms = [...hostileForms(bytes)]
  return new Map([
    ...forms.map(([name, body]) => [`events: ${name}`, within('events', body)] as const),
    ...forms.map(([name, body]) => [`event: ${name}`, within('event', body)] as const),
    ...forms.map(([name, body]) => [`beside: ${name}`, within('a', body)] as const),
  ])
}

/** As packed data: one part, many parts, cut off, and a bomb. */
export function packedForms(body: Buffer): ReadonlyMap<string, Buffer> {
  const packed = gzipSync(body)
  return new Map([
    ['packed', packed],
    [
      'packed in many parts',
      Buffer.concat(Array<Buffer>(50).fill(gzipSync(body.subarray(0, body.length / 50)))),
    ],
    ['packed and cut off', packed.subarray(0, packed.length - 5)],
    ['a bomb', gzipSync(Buffer.concat([body, Buffer.alloc(40 * 1024 * 1024, ' ')]))],
  ])
}
