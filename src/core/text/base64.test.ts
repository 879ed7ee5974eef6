import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeBase64Text } from './base64.ts'
import { isJsonMediaType } from './media-type.ts'

test('any text comes back from the Base64 of its UTF-8', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(decodeBase64Text(Buffer.from(text).toString('base64'))).toEqual({ text })
    }),
  )
})

test('what is not Base64, or not UTF-8, is told apart', () => {
  for (const bad of ['e', 'e3', 'e30', 'e3=0', 'e30=e30=', 'e3-_', 'e30= ', '====', 'e30\n']) {
    expect([bad, decodeBase64Text(bad)]).toEqual([bad, { not: 'Base64' }])
  }
  for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82], [0xf5, 0x80, 0x80, 0x80]]) {
    expect(decodeBase64Text(Buffer.from(bytes).toString('base64'))).toEqual({ not: 'UTF-8' })
  }
})

test('JSON is said by the subtype or its suffix', () => {
  for (const type of [
    'application/json',
    'text/json',
    'Application/JSON ; charset=utf-8',
    'a/b.c+json;x=1',
  ]) {
    expect([type, isJsonMediaType(type)]).toEqual([type, true])
  }
  for (const type of ['', 'json', 'application/xml', 'application/jsonl', 'application/json+xml', '/json']) {
    expect([type, isJsonMediaType(type)]).toEqual([type, false])
  }
})
