import { expect, test } from 'vitest'
import { billsTable, type ListedBill } from './bills-table.ts'

const first: ListedBill = {
  id: '2025-07-28T03Z.acme',
  account: 'acme',
  cycle: { from: '2025-07-28T03:00:00Z', to: '2025-07-28T04:00:00Z' },
  issuedAt: '2025-07-28T04:10:00.000Z',
  currency: 'USD',
  demo: false,
  late: false,
  total: '1234567.5',
  components: { request: '1234567', processing: '0.5', storage: '0' },
  sequence: 1,
  statementMonth: '2025-07',
  eventsDigest: '',
  linesDigest: '',
  digest: '',
  previousDigest: null,
  lineCount: 12,
}

const credit: ListedBill = {
  ...first,
  id: '2025-07-28T04Z.acme',
  cycle: { from: '2025-07-28T04:00:00Z', to: '2025-07-28T05:00:00Z' },
  demo: true,
  late: true,
  total: '-0.0000000001',
  components: { request: '-0.0000000001', processing: '0', storage: '0' },
  lineCount: 1,
}

test('bills are listed with their marks and their exact sum', () => {
  const text = billsTable([first, credit]).map((line) => line.text)
  expect(`\n${text.join('\n')}\n`).toBe(`
Cycle from, UTC              Total USD               Request  Processing  Storage  Lines  Bill
2025-07-28 03:00  1,234,567.5           1,234,567                    0.5        0     12  2025-07-28T03Z.acme
2025-07-28 04:00         -0.0000000001         -0.0000000001         0          0      1  2025-07-28T04Z.acme  demo, billed later, credit
2 bills           1,234,567.4999999999  1,234,566.9999999999         0.5        0
`)
})

test('no bills are said, not shown as an empty table', () => {
  expect(billsTable([])).toEqual([{ role: 'plain', text: 'No bills.' }])
})

test('the number of lines is left out when it is not known', () => {
  const { lineCount: _, ...unknown } = first
  expect(billsTable([unknown])[0]!.text).not.toContain('Lines')
  expect(billsTable([{ ...unknown, lines: [1, 2, 3] }])[1]!.text).toMatch(/ 3 {2}2025/)
})

test('components that the business does not sell have no column, unless something was billed for them', () => {
  const sold = new Map([['request', undefined]] as const)
  const headingOf = (...bills: readonly ListedBill[]) => billsTable(bills, { sold })[0]!.text
  expect(headingOf(credit)).toMatch(/Total USD +Request +Lines +Bill/)
  expect(headingOf(first)).toMatch(/Total USD +Request +Processing +Lines +Bill/)
  const named = new Map([['request', 'API calls']] as const)
  expect(billsTable([credit], { sold: named })[0]!.text).toMatch(/Total USD +API calls +Lines +Bill/)
  expect(billsTable([credit], { sold })[1]!.text).toMatch(/ -0\.0000000001 +-0\.0000000001 +1 {2}2025/)
})
