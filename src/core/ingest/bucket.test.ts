import fc from 'fast-check'
import { expect, test } from 'vitest'
import { table } from '../../../test/table.ts'
import { bucketOf, BUCKETS } from './bucket.ts'

// Stored with every fact: another number for one of these would lose the account's facts.
for (const { account, bucket } of table<'account' | 'bucket'>(`
  account   | bucket
  a         | 155
  acme      | 110
  zeta      | 184
  müller    | 249
  漢        | 100
  🧾        | 96
`)) {
  test(`the bucket of ${account} is ${bucket}, for ever`, () => {
    expect(String(bucketOf(account))).toBe(bucket)
  })
}

test('every account has a bucket from 0 to 255', () => {
  expect(BUCKETS).toBe(256)
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (account) => {
      const bucket = bucketOf(account)
      expect(Number.isInteger(bucket) && bucket >= 0 && bucket < BUCKETS).toBe(true)
      expect(bucketOf(account)).toBe(bucket)
    }),
  )
})

test('accounts are spread evenly, also those that differ in a number only', () => {
  const counts = Array<number>(BUCKETS).fill(0)
  for (let n = 0; n < 25_600; n++) counts[bucketOf(`customer-${n}`)]! += 1
  // 100 each; the chance that a fair spread leaves 50 to 150 is below one in a thousand.
  expect(Math.min(...counts)).toBeGreaterThan(50)
  expect(Math.max(...counts)).toBeLessThan(150)
})
