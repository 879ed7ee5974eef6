import { expect, test } from 'vitest'
import { bookOf, BOOK_DATA } from '../../../../test/unit/oracle-book.ts'
import { usageEvent } from '../../../../test/unit/oracle-event.ts'
import type { Json } from '../../text/canonical-json.ts'
import { assess } from './assess.ts'
import { remarkOn } from './remark.ts'

const book = bookOf(BOOK_DATA)

function remarkOf(component: string, data: { readonly [key: string]: Json }, time = '2025-07-28T02:30:00Z') {
  const more = component === 'request' ? { status: 200 } : component === 'storage' ? { bytes: 1 } : {}
  const event = usageEvent({ type: `farthing.${component}`, time }, { ...more, ...data })
  const { code, detail } = remarkOn(event, assess(book, event)) ?? { code: 'none', detail: '' }
  return `${code} ${detail}`.trim()
}

test('a unit that no rate charges is named', () => {
  const quantities = { call: 1, cal: 1 }
  expect(remarkOf('processing', { operation: 'DetectImageFaces', quantities })).toBe(
    'event/unused_unit Accepted. data.quantities.cal is charged by no rate: leave it out, or check its name.',
  )
})

test('usage of a component that does not charge the operation, while the other one does', () => {
  expect(remarkOf('processing', { operation: 'SimpleQuery', quantities: { call: 1, page: 2 } })).toBe(
    'event/other_component Accepted without a fee: SimpleQuery is charged for requests only, and this event reports processing. If it should have a fee, list the operation under a processing item of the price book.',
  )
  expect(remarkOf('request', { operation: 'RenderPage', status: 500 })).toBe(
    'event/other_component Accepted without a fee: RenderPage is charged for processing only, and this event reports a request. If it should have a fee, list the operation under a request item of the price book.',
  )
  expect(remarkOf('processing', { operation: 'SimpleQuery', outcome: 'failed' })).toMatch(/^event.other_comp/)
})

test('nothing is remarked on an operation without a fee, on what is held or rejected, and on stored data', () => {
  const units = { page: 1, other: 1 }
  expect(remarkOf('processing', { operation: 'GetProject', quantities: units })).toBe('none')
  expect(remarkOf('request', { operation: 'GetProject' })).toBe('none')
  expect(remarkOf('processing', { operation: 'Unheard', quantities: units })).toBe('none')
  expect(remarkOf('processing', { operation: 'DetectImageFaces', quantities: units })).toBe('none')
  expect(remarkOf('processing', { operation: 'DetectLater', quantities: units })).toBe('none')
  expect(remarkOf('storage', {})).toBe('none')
})
