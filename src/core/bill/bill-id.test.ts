import fc from 'fast-check'
import { expect, test } from 'vitest'
import { table } from '../../../test/table.ts'
import { type Hour, parseHour } from '../time/hour.ts'
import { billId, parseBillId } from './bill-id.ts'

const anyHour = fc.integer({ min: 0, max: 70_000_000 }).map((hour) => hour as Hour)
/** Any account that is accepted: not empty, well-formed, without U+0000. */
const anyAccount = fc.string({ unit: 'binary', minLength: 1 }).filter((text) => !text.includes('\0'))

for (const { account, id } of table<'account' | 'id'>(`
  account        | id
  acme           | 2025-07-28T03Z.acme
  Team_7-x       | 2025-07-28T03Z.Team_7-x
  a.b            | 2025-07-28T03Z.a~2Eb
  a~b            | 2025-07-28T03Z.a~7Eb
  a%b            | 2025-07-28T03Z.a~25b
  a b/c          | 2025-07-28T03Z.a~20b~2Fc
  it's!*()       | 2025-07-28T03Z.it~27s~21~2A~28~29
  müller         | 2025-07-28T03Z.m~C3~BCller
  漢             | 2025-07-28T03Z.~E6~BC~A2
`)) {
  test(`the bill of ${account} is ${id}`, () => {
    expect(billId(account, parseHour('2025-07-28T03Z')!)).toBe(id)
  })
}

// Guarantee: an id names one bill, and the bill can be found from it alone.
test('account and hour are read back from any id', () => {
  fc.assert(
    fc.property(anyAccount, anyHour, (account, hour) => {
      expect(parseBillId(billId(account, hour))).toEqual({ account, hour })
    }),
  )
})

test('an id needs no escaping in a URL, a shell, a file name or CSV', () => {
  fc.assert(
    fc.property(anyAccount, anyHour, (account, hour) => {
      const id = billId(account, hour)
      expect(id).toMatch(/^\d[A-Za-z0-9._~-]+$/)
      expect(encodeURIComponent(id)).toBe(id)
      expect(new URL(`http://host/v1/bills/${id}/lines`).pathname).toBe(`/v1/bills/${id}/lines`)
    }),
  )
})

for (const { id, because } of table<'id' | 'because'>(`
  id                          | because
  2025-07-28T03Z.             | no account
  2025-07-28T03Z              | no account
  2025-07-28T03Z-acme         | no point
  2025-07-28T24Z.acme         | no such hour
  2025-07-28T03:00Z.acme      | not an hour
  acme.2025-07-28T03Z         | the other way round
  2025-07-28T03Z.a.b          | a point is escaped
  2025-07-28T03Z.a%20b        | a percent sign is escaped
  2025-07-28t03z.a~2Eb        | the hour has capital letters
  2025-07-28T03Z.~61          | an escape that is not needed: another id for the account a
  2025-07-28T03Z.a~           | half an escape
  2025-07-28T03Z.a~C3         | not UTF-8
  2025-07-28T03Z.~ED~A0~80    | a surrogate is not UTF-8
                              |
`)) {
  test(`"${id}" is the id of no bill: ${because}`, () => {
    expect(parseBillId(id)).toBeUndefined()
  })
}

for (const { id, account } of table<'id' | 'account'>(`
  id                          | account
  2025-07-28T03Z.a~2eb        | a.b
  2025-07-28T03Z.a~2Eb        | a.b
  2025-07-28T03Z.m~c3~bcller  | müller
  2025-07-28T03Z.m~C3~bcller  | müller
  2025-07-28T03Z.m~cC3        |
  2025-07-28T03Z.~e6~bc~a2    | 漢
  2025-07-28T03Z.a~7eb        | a~b
  2025-07-28T03Z.aB~2fC       | aB/C
`)) {
  test(`escapes may be written either way: ${id} is a bill of ${account || 'nobody'}`, () => {
    expect(parseBillId(id)?.account ?? '').toBe(account)
  })
}

test('no text but the one that billId makes, with its escapes written either way, is an id', () => {
  const anyText = fc.oneof(fc.string(), fc.stringMatching(/^2025-07-28T03Z\.(?:[a-z.~%]|~[0-9A-Fa-f]{2})*$/))
  fc.assert(
    fc.property(anyText, (id) => {
      const bill = parseBillId(id)
      const canonical = id.replaceAll(/~../g, (escape) => escape.toUpperCase())
      if (bill) expect(billId(bill.account, bill.hour)).toBe(canonical)
    }),
  )
})
