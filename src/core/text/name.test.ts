import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nameTrouble } from './name.ts'

/** What routers and foreign systems name things, and price books must be able to list. */
const NAMES = [
  'SimpleQuery',
  'GET /v1/images/:id',
  'POST /v1/images',
  'GET /files/*',
  'GET /v1/{project}/faces',
  'GET /a/:b?',
  'GET /a{/:b}/c',
  'GET /a/:id(\\d+)',
  'GET /ab+cd',
  'GET /^\\/a(b|c)+"x"$/i',
  "PUT /a~b$c@d!e,f;g=h&i%20j'k",
  'GET /café/写真/:id',
  'GET /👩',
  'API calls',
  'com/acme.render',
  '=cmd',
  'null',
  '__proto__',
]

test.each(NAMES)('%s is a name', (name) => {
  expect(nameTrouble(name, 255)).toBeUndefined()
})

test.each([
  ['', 'is empty'],
  [' GET /', 'begins or ends with a blank'],
  ['GET /\u00a0', 'begins or ends with a blank'],
  ['GET\t/', 'has the character U+0009, which nobody can see'],
  ['GET /\n', 'has the character U+000A, which nobody can see'],
  ['GET /\u0000', 'has the character U+0000, which nobody can see'],
  ['GET /\u001b[31m', 'has the character U+001B, which nobody can see'],
  ['GET /\u202e', 'has the character U+202E, which nobody can see'],
  ['GET /\u200b', 'has the character U+200B, which nobody can see'],
  ['GET /\u2028', 'has the character U+2028, which nobody can see'],
  ['GET /\ud800', 'has an unpaired surrogate'],
  ['é'.repeat(128), 'is longer than 255 bytes'],
])('%j is no name: it %s', (name, trouble) => {
  expect(nameTrouble(name, 255)).toBe(trouble)
})

test('a name is as readable as what shows it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const isUnreadable = /^\s|\s$|[\p{Cc}\p{Cf}\p{Cs}]/u.test(text)
      expect(nameTrouble(text, 255) === undefined && isUnreadable).toBe(false)
    }),
  )
})
