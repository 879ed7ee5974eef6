import { expect, test } from 'vitest'
import { readForm } from '../../src/http/compat/read-form.ts'

function read(text: string | Uint8Array) {
  const { fields, maps } = readForm(Buffer.from(text as string))
  return {
    ...Object.fromEntries(fields),
    maps: Object.fromEntries([...maps].map(([name, map]) => [name, Object.fromEntries(map)])),
  }
}

/** Forms, and what they say. */
const FORMS: Readonly<Record<string, object>> = {
  '': { maps: {} },
  'a=b': { a: 'b', maps: {} },
  'a=b&&c=d&': { a: 'b', c: 'd', maps: {} },
  a: { a: '', maps: {} },
  'a=b=c': { a: 'b=c', maps: {} },
  'a=x+y%2Bz': { a: 'x y+z', maps: {} },
  'payload[value]=25&payload[stripe_customer_id]=acme': {
    maps: { payload: { value: '25', stripe_customer_id: 'acme' } },
  },
  'payload%5Bvalue%5D=25': { maps: { payload: { value: '25' } } },
  'payload[]=1': { maps: { payload: { '': '1' } } },
  'a[b][c]=1': { 'a[b][c]': '1', maps: {} },
  'a=%E2%82%AC&b=€': { a: '€', b: '€', maps: {} },
  '__proto__[x]=1&constructor=2': { constructor: '2', maps: JSON.parse('{"__proto__":{"x":"1"}}') },
}

for (const [text, says] of Object.entries(FORMS)) {
  test(`read: ${text || 'an empty form'}`, () => expect(read(text)).toEqual(says))
}

const BAD: readonly (readonly [what: RegExp, text: string | Uint8Array])[] = [
  [/a field twice/, 'a=1&a=2'],
  [/a field twice/, 'p[x]=1&p%5Bx%5D=2'],
  [/an escape that is not UTF-8/, 'a=%ff'],
  [/an escape that is not UTF-8/, 'a=%E2%82'],
  [/an escape that is not UTF-8/, 'a=100%'],
  [/an escape that is not UTF-8/, 'a=%zz'],
  [/an escape that is not UTF-8/, '%80=1'],
  [/not UTF-8/, Uint8Array.of(0x61, 0x3d, 0xff)],
]

for (const [what, text] of BAD) {
  test(`refused: ${String(text)}`, () => expect(() => read(text)).toThrow(what))
}
