import { expect, test } from 'vitest'
import { plain } from '../money/decimal.ts'
import type { Json } from '../text/canonical-json.ts'
import { readUsage } from './read-usage.ts'
import { isRejection } from './rejection.ts'
import type { EventType } from './usage.ts'

const TYPE: EventType = {
  component: 'processing',
  operation: 'Prompt',
  quantities: new Map<string, string | 1>([
    ['token', 'tokens'],
    ['call', 1],
  ]),
}

function read(data: { readonly [key: string]: Json }, type = TYPE) {
  const usage = readUsage(type, data)
  if (isRejection(usage)) return `${usage.code} ${usage.detail}`
  if (usage.component !== 'processing') return usage.component
  const quantities = [...usage.quantities].map(([unit, quantity]) => `${plain(quantity)} ${unit}`)
  return `${usage.operation} ${usage.succeeded} ${quantities.join(', ')}`
}

test('data of a declared type has its quantities where the price book says', () => {
  expect(read({ tokens: '12.5', model: 'large', operation: 17, quantities: 'many' })).toBe(
    'Prompt true 12.5 token, 1 call',
  )
  expect(read({ tokens: 3, outcome: 'failed', mode: null })).toBe('Prompt true 3 token, 1 call')
})

test('a quantity that is missing or inexact is refused, with its place', () => {
  expect(read({})).toMatch(/^event\/invalid_quantity data\.tokens is missing: .* the token from it/)
  expect(read({ tokens: null })).toMatch(/^event\/invalid_quantity data\.tokens is missing: /)
  expect(read({ tokens: true })).toMatch(/^event\/invalid_quantity data\.tokens is not a quantity: /)
  expect(read({ tokens: 0.1 })).toMatch(
    /^event\/invalid_quantity data\.tokens is a JSON number that is not whole: /,
  )
  expect(read({ tokens: '-1' })).toMatch(/^event\/invalid_quantity data\.tokens is negative: /)
  const odd = { ...TYPE, quantities: new Map([['call', 'constructor']]) }
  expect(read({}, odd)).toMatch(/^event\/invalid_quantity data\.constructor is missing: /)
})

test('without an operation in the price book, that of the data counts', () => {
  const type = { ...TYPE, operation: undefined }
  expect(read({ tokens: 1, operation: 'Chat' }, type)).toBe('Chat true 1 token, 1 call')
  expect(read({ tokens: 1 }, type)).toMatch(/^event\/invalid_data data\.operation is missing: /)
})
