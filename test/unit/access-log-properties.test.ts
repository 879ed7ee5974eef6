import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytesOf, percentDecoded, textOf } from '../../src/core/access-log/byte-text.ts'
import { linePattern } from '../../src/core/access-log/line-pattern.ts'
import { isLineRefusal, type LogFields } from '../../src/core/access-log/log-format.ts'
import { nginxFormat } from '../../src/core/access-log/nginx-format.ts'
import { readTemplate, RouteTree } from '../../src/core/access-log/route-tree.ts'
import { rulesOf, shortly } from './access-log-rules.ts'

const anyBytes = fc
  .array(
    fc.oneof(fc.constantFrom(0x22, 0x5c, 0x20, 0x5b, 0x5d, 0x2d, 0x0a), fc.integer({ min: 0, max: 255 })),
    { maxLength: 12 },
  )
  .map((bytes) => String.fromCharCode(...bytes))

/** As nginx writes a variable by default. */
function nginxEscaped(bytes: string): string {
  return bytes.replaceAll(
    /[^ !#-[\]-~]/g,
    (byte) => `\\x${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
}

/** As nginx writes a variable with escape=json. */
function nginxJsonEscaped(bytes: string): string {
  const short: Record<string, string> = {
    '"': '\\"',
    '\\': '\\\\',
    '\n': '\\n',
    '\r': '\\r',
    '\t': '\\t',
    '\b': '\\b',
    '\f': '\\f',
  }
  // oxlint-disable-next-line no-control-regex
  return bytes.replaceAll(/[\x00-\x1f"\\]/g, (byte) => {
    return short[byte] ?? `\\u00${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
  })
}

for (const [directive, escape] of [
  ['log_format a', nginxEscaped],
  ['log_format a escape=json', nginxJsonEscaped],
] as const) {
  // Guarantee: whatever bytes a client sends, the fields come back as they were, and none can pose as another.
  test(`${directive}: a line gives its fields back`, () => {
    const made = nginxFormat(
      `${directive} '$remote_addr "$http_a" $status "$http_b";$msec "$request_method x$args"';`,
    )
    if (!made.ok) throw new Error(made.message)
    fc.assert(
      fc.property(anyBytes, anyBytes, anyBytes, (a, b, args) => {
        const line = `::1 "${escape(a)}" 200 "${escape(b)}";1753671600.001 "GET x${escape(args)}"`
        const fields = made.format.read(line)
        expect(isLineRefusal(fields)).toBe(false)
        const values = ['http_a', 'http_b', 'args', 'status'].map((name) => (fields as LogFields).get(name))
        expect(values).toEqual([a, b, args, '200'])
      }),
    )
  })
}

// Guarantee: the name that a client logs in with can not change what else the line says.
test('combined: a user name never moves the other fields', () => {
  const made = nginxFormat('$remote_addr - $remote_user [$time_local] "$request" $status')
  if (!made.ok) throw new Error(made.message)
  const nasty = fc.array(fc.constantFrom('a', ' ', '[', ']', ' [01/Jan/2000:00:00:00 +0000]', '-', '"'), {
    maxLength: 8,
  })
  fc.assert(
    fc.property(nasty, (parts) => {
      const user = parts.join('')
      const line = `::1 - ${nginxEscaped(user)} [28/Jul/2025:03:00:00 +0000] "GET / HTTP/1.1" 200`
      const fields = made.format.read(line)
      expect((fields as LogFields).get('remote_user')).toBe(user)
      expect((fields as LogFields).get('time_local')).toBe('28/Jul/2025:03:00:00 +0000')
    }),
  )
})

test('a line that can be read in two ways is refused', () => {
  const made = linePattern(
    [{ field: 'a', form: 'raw' }, { literal: ' ' }, { field: 'b', form: /\S+(?: \S+)*/ }],
    { isEscaped: false },
  )
  if (!made.ok) throw new Error(made.message)
  expect(made.read('1 2')).toEqual(
    new Map([
      ['a', '1'],
      ['b', '2'],
    ]),
  )
  expect(made.read('1 2 3')).toMatchObject({ code: 'log/two_readings' })
})

// Guarantee: a path parameter is what the client meant, however it was escaped.
test('a path parameter comes back from its escapes', () => {
  const rules = rulesOf({ format: 'combined', account: { path: 'a' }, operations: { 'GET /x/{a}': 'X' } })
  const name = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 10 })
    .map((text) => text.toWellFormed())
    .filter((text) => text !== '.' && text !== '..' && text !== '\ufffd' && !text.includes('\ufffd'))
  fc.assert(
    fc.property(name, fc.boolean(), (text, isRaw) => {
      const escaped = encodeURIComponent(text)
      const raw = escaped.replaceAll(/%([89A-F][0-9A-F])/g, '\\x$1')
      const line = `::1 - - [28/Jul/2025:03:00:00 +0000] "GET /x/${isRaw ? raw : escaped} HTTP/1.1" 200 5 "-" "-"`
      expect(shortly(rules, line)).toBe(`${text} X 200 2025-07-28T03:00:00.000Z place`)
    }),
  )
})

test('bytes and text are inverse, and what is not UTF-8 is no text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(textOf(bytesOf(text))).toBe(text.toWellFormed())
      expect(bytesOf(text)).toBe(Buffer.from(text).toString('latin1'))
    }),
  )
  expect(textOf('\u00ff')).toBe(undefined)
  expect([
    percentDecoded('%'),
    percentDecoded('100%'),
    percentDecoded('%zz%41'),
    percentDecoded('%FF'),
  ]).toEqual(['%', '100%', '%zzA', undefined])
})

const rank = (text: string) => {
  const [verb, way = ''] = text.split(' ')
  const parts = way.split('/').filter((part) => part !== '')
  const classes = parts.map((part) => (part === '**' ? '3' : part.startsWith('{') ? '2' : '1'))
  return `${classes.join('')}0${verb === 'ANY' ? 1 : 0}`
}

/** Slow and plain: every template is compared, and the most literal one wins. */
function slowFind(templates: readonly string[], method: string, path: readonly string[]): string | undefined {
  const fits = templates.filter((text) => {
    const [verb, way = ''] = text.split(' ')
    const parts = way.split('/').filter((part) => part !== '')
    const hasRest = parts.at(-1) === '**'
    const fixed = hasRest ? parts.slice(0, -1) : parts
    if (verb !== method && verb !== 'ANY') return false
    if (hasRest ? path.length < fixed.length : path.length !== fixed.length) return false
    return fixed.every((part, at) => part.startsWith('{') || part === path[at])
  })
  return fits.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1))[0]
}

// Guarantee: the order of the templates does not matter; a literal goes before a parameter, and that before **.
test('the most literal template is found', () => {
  const part = fc.constantFrom('a', 'b', '{x}')
  const template = fc
    .tuple(fc.constantFrom('GET', 'ANY'), fc.array(part, { maxLength: 3 }), fc.boolean())
    .map(([verb, parts, rest]) => {
      const named = parts.map((one, at) => (one === '{x}' ? `{x${at}}` : one))
      return `${verb} /${[...named, ...(rest ? ['**'] : [])].join('/')}`
    })
  const path = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 4 })
  fc.assert(
    fc.property(
      fc.uniqueArray(template, { maxLength: 8 }),
      fc.constantFrom('GET', 'PUT'),
      path,
      (texts, method, asked) => {
        const tree = new RouteTree<string>()
        for (const text of texts) {
          const read = readTemplate(text)
          if (typeof read === 'string') throw new Error(read)
          expect(tree.add(read, text)).toBe(true)
          expect(tree.add(read, text)).toBe(false)
        }
        const found = tree.find(method, asked)
        expect(found?.route).toBe(slowFind(texts, method, asked))
        const names = found?.route
          .split('/')
          .flatMap((one, at) => (one.startsWith('{') ? [[one.slice(1, -1), asked[at - 1]]] : []))
        expect(found && [...found.parameters]).toEqual(names)
      },
    ),
    { numRuns: 500 },
  )
})
