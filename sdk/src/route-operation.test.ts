import fc from 'fast-check'
import { expect, test } from 'vitest'
import { acceptOne, anyName } from '../../test/names.ts'
import { operationOfRoute } from './route-operation.ts'

test('every route has a name that the server takes', () => {
  const route = fc.oneof(
    anyName.map((name) => `GET ${name}`),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 400 }).map((path) => `GET /${path}`),
  )
  fc.assert(
    fc.property(route, (text) => {
      const operation = operationOfRoute(text)
      expect(acceptOne('farthing.request', { operation, status: 200 })).toHaveProperty('usage')
      if (!('code' in acceptOne('farthing.request', { operation: text, status: 200 })))
        expect(operation).toBe(text)
    }),
    { numRuns: 1000 },
  )
})

test('long routes that differ only at their ends stay two, and are the same each time', () => {
  const [one, other] = ['a', 'b'].map((end) => operationOfRoute(`GET /${'é'.repeat(200)}${end}`))
  expect(one).not.toBe(other)
  expect(one).toBe(operationOfRoute(`GET /${'é'.repeat(200)}a`))
  expect(one).toMatch(/^GET \/é+…[0-9a-f]{8}$/)
})
