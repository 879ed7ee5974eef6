import fc from 'fast-check'
import { expect, test } from 'vitest'
import { acceptOne, anyName } from '../../test/names.ts'
import { eventOf, processingContent, requestContent, storageContent } from './facts.ts'
import { MeterError } from './meter-error.ts'
import { quantityText } from './quantity.ts'

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
const request = { account: 'acme', operation: 'SimpleQuery', status: 200 }
const processing = { account: 'acme', operation: 'Scan', mode: 'sync' as const, quantities: { page: 1 } }
const storage = { account: 'acme', dataset: 'd', bytes: 5 }

/** What a call says when it throws. */
function refusal(work: () => unknown): string {
  try {
    work()
    return 'taken'
  } catch (error) {
    if (!(error instanceof MeterError)) throw error
    expect(error.code).toBe('sdk/invalid_fact')
    return error.message
  }
}

test('a fact becomes a CloudEvent, with quantities as text', () => {
  const content = requestContent({ ...request, project: 'p', region: '', resource: null, count: 3n }, NOW)
  expect(eventOf(content, '/s', 'id-1')).toEqual({
    specversion: '1.0',
    id: 'id-1',
    source: '/s',
    type: 'farthing.request',
    subject: 'acme',
    time: '2026-01-02T03:04:05.678Z',
    data: { operation: 'SimpleQuery', status: 200, project: 'p', count: '3' },
  })
  const task = {
    ...processing,
    mode: 'async' as const,
    outcome: 'failed' as const,
    task: 't',
    quantities: {},
  }
  expect(processingContent(task, NOW).data).toEqual({
    operation: 'Scan',
    mode: 'async',
    outcome: 'failed',
    task: 't',
    quantities: {},
  })
  expect(storageContent({ ...storage, bytes: '12.00' }, NOW).data).toEqual({ dataset: 'd', bytes: '12' })
})

test('a fact has the time that it says, and the identity', () => {
  const at = new Date('2025-07-28T11:00:00.5+08:00')
  const event = eventOf(requestContent({ ...request, at, id: 'own' }, NOW), '/s', 'new')
  expect([event.id, event.time]).toEqual(['own', '2025-07-28T03:00:00.500Z'])
  expect(requestContent({ ...request, at: NOW + 0.9 }, 0).at).toBe(NOW)
})

const LONE = '\ud800'
test('a mode that is left out is sync, in the content too', () => {
  const { mode: _, ...without } = processing
  expect(processingContent(without, NOW)).toEqual(processingContent(processing, NOW))
})

const REFUSED: readonly [work: () => unknown, say: string][] = [
  [() => requestContent({ ...request, account: '' }, NOW), 'account is missing'],
  [() => requestContent({ ...request, account: 'ä'.repeat(128) }, NOW), 'account is longer than 255 bytes'],
  [() => requestContent({ ...request, account: LONE }, NOW), 'account has an unpaired surrogate'],
  [() => requestContent({ ...request, account: 7 as never }, NOW), 'account is no text'],
  [() => requestContent({ ...request, operation: 'a\0' }, NOW), 'operation has the character U+0000'],
  [() => requestContent({ ...request, project: 'p'.repeat(256) }, NOW), 'project is longer than 255 bytes'],
  [() => requestContent({ ...request, id: 'i'.repeat(513) }, NOW), 'id is longer than 512 bytes'],
  [() => requestContent({ ...request, resource: 'r'.repeat(4097) }, NOW), 'resource is longer than 4096'],
  [() => requestContent({ ...request, status: 99 }, NOW), 'status is not an HTTP status'],
  [() => requestContent({ ...request, status: 600 }, NOW), 'status is not an HTTP status'],
  [() => requestContent({ ...request, status: 200.5 }, NOW), 'status is not an HTTP status'],
  [() => requestContent({ ...request, status: '200' as never }, NOW), 'status is not an HTTP status'],
  [() => requestContent({ ...request, count: -1 }, NOW), 'count is negative'],
  [() => requestContent({ ...request, count: 1.5 }, NOW), 'count is the number 1.5'],
  [() => requestContent({ ...request, count: 2 ** 53 }, NOW), 'count is the number 9007199254740992'],
  [() => requestContent({ ...request, count: '1.5' }, NOW), 'count is not a whole number'],
  [() => requestContent({ ...request, count: '1e3' }, NOW), 'count is no plain decimal'],
  [() => requestContent({ ...request, count: '' }, NOW), 'count is no plain decimal'],
  [() => requestContent({ ...request, count: NaN }, NOW), 'count is the number NaN'],
  [() => requestContent({ ...request, at: new Date('?') }, NOW), 'at is no time'],
  [() => requestContent({ ...request, at: '2026-01-01' as never }, NOW), 'at is no time'],
  [() => requestContent({ ...request, at: 1_760_000_000 }, NOW), 'not seconds'],
  [() => requestContent(null as never, NOW), 'request is no object'],
  [() => processingContent({ ...processing, mode: 'fast' as never }, NOW), 'mode is neither'],
  [() => processingContent({ ...processing, mode: 'async' }, NOW), 'outcome is neither'],
  [() => processingContent({ ...processing, outcome: 'ok' as never }, NOW), 'outcome is neither'],
  [() => processingContent({ ...processing, quantities: {} }, NOW), 'quantities is empty'],
  [() => processingContent({ ...processing, quantities: undefined }, NOW), 'quantities is no object'],
  [() => processingContent({ ...processing, quantities: { 'a b': 1 } }, NOW), 'a unit that is no name'],
  [
    () => processingContent({ ...processing, quantities: { page: 0.1 } }, NOW),
    'quantities.page is the number',
  ],
  [
    () => processingContent({ ...processing, quantities: { page: '1'.repeat(31) } }, NOW),
    'quantities.page has too many digits',
  ],
  [
    () => processingContent({ ...processing, quantities: { page: `0.${'1'.repeat(13)}` } }, NOW),
    'at most 30 before and 12 after',
  ],
  [() => processingContent({ ...processing, quantities: numbered(33) }, NOW), 'quantities has over 32 units'],
  [() => storageContent({ ...storage, dataset: '' }, NOW), 'dataset is missing'],
  [() => storageContent({ ...storage, bytes: undefined as never }, NOW), 'bytes is no quantity'],
]

test.each(REFUSED.map(([work, say]) => ({ work, say })))('a call throws: $say', ({ work, say }) => {
  expect(refusal(work)).toContain(say)
})

test('what is at a limit is taken', () => {
  const names = { account: 'a'.repeat(255), project: 'p'.repeat(255), resource: 'r'.repeat(4096) }
  expect(refusal(() => requestContent({ ...request, ...names, id: 'i'.repeat(512) }, NOW))).toBe('taken')
  const quantities = { ...numbered(31), page: `${'9'.repeat(30)}.${'9'.repeat(12)}` }
  expect(refusal(() => processingContent({ ...processing, quantities }, NOW))).toBe('taken')
})

test('a quantity keeps every digit, in whichever way it is passed', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 30n - 1n }), fc.nat(), (big, small) => {
      expect(quantityText(big, 'x')).toBe(String(big))
      expect(quantityText(String(big), 'x')).toBe(String(big))
      expect(quantityText(small, 'x')).toBe(String(small))
    }),
  )
  expect(quantityText(-0, 'x')).toBe('0')
})

function numbered(units: number): Record<string, number> {
  return Object.fromEntries(Array.from({ length: units }, (_, at) => [`u${at}`, 1]))
}

test('an operation is taken exactly when the server takes it', () => {
  fc.assert(
    fc.property(anyName, (operation) => {
      const take = () => requestContent({ account: 'a', operation, status: 200 }, Date.UTC(2026, 0, 1))
      const said = acceptOne('farthing.request', { operation, status: 200 })
      if ('code' in said) expect(take).toThrowError('operation')
      else expect(take).not.toThrow()
    }),
    { numRuns: 1000 },
  )
})
