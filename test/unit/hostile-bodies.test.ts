import { describe, expect, test } from 'vitest'
import type { Delivered } from '../../src/flows/ingest/ingest-types.ts'
import { HttpProblem } from '../../src/http/api/problem.ts'
import {
  BATCH_EVENTS_MAX,
  BODY_VALUES_MAX,
  ELEMENT_BYTES_MAX,
  ELEMENT_VALUES_MAX,
} from '../../src/http/body/limits.ts'
import { readDelivery } from '../../src/http/body/read-delivery.ts'
import { readJsonBody } from '../../src/http/body/read-json.ts'
import { readLagoBatch, readLagoSingle } from '../../src/http/compat/lago-body.ts'
import { hostileForms, hostileLago } from './hostile-forms.ts'

// Guarantee: what a body costs is bounded before it is spent, by whatever protocol it comes.

const MIB = 1024 * 1024
const CE = { 'ce-specversion': '1.0', 'ce-id': 'a', 'ce-source': 's', 'ce-type': 't', 'ce-subject': 'acme' }

type Read = (body: Buffer) => readonly Delivered[]

const events =
  (type: string, more: Record<string, string> = {}): Read =>
  (body) =>
    readDelivery({ 'content-type': type, ...more }, body).events

const READERS: Readonly<Record<string, Read>> = {
  structured: events('application/cloudevents+json'),
  batch: events('application/cloudevents-batch+json'),
  plain: events('application/json'),
  lines: events('application/x-ndjson'),
  binary: events('application/json', CE),
  lago: (body) => readLagoSingle(body)?.delivered ?? [],
  'lago batch': (body) => readLagoBatch(body).delivered,
  'other bodies': (body) => (readJsonBody(body), []),
}

/** What became of each event, or of the whole; a bug is neither. */
function read(reader: string, body: Buffer): readonly string[] {
  try {
    const delivered = READERS[reader]!(body)
    return delivered.map((one) => ('unreadable' in one ? one.unreadable.code : 'read'))
  } catch (error) {
    if (error instanceof HttpProblem) return [error.code]
    throw error
  }
}

function detailOf(reader: string, body: Buffer): string {
  try {
    const [first] = READERS[reader]!(body)
    return first && 'unreadable' in first ? first.unreadable.detail : ''
  } catch (error) {
    return (error as HttpProblem).message
  }
}

describe('a hostile body', () => {
  const forms = [...hostileForms(4 * MIB), ...hostileLago(4 * MIB)]
  for (const reader of Object.keys(READERS)) {
    test(`as ${reader} is refused or rejected within bounded time and memory, whatever its form`, () => {
      for (const [name, body] of forms) {
        const before = process.memoryUsage().heapUsed
        const began = performance.now()
        const became = read(reader, body)
        const [ms, grown] = [performance.now() - began, process.memoryUsage().heapUsed - before]
        // Generous for a machine with other work: parsed, the worst of them would take gigabytes and minutes.
        expect([name, ms < 5_000, grown < 300 * MIB]).toEqual([name, true, true])
        expect(became.length).toBeLessThanOrEqual(BATCH_EVENTS_MAX)
      }
    })
  }
})

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
const listOf = (count: number, element: string) => `[${Array<string>(count).fill(element).join(',')}]`
const padded = (bytes: number) => `{"a":"${'x'.repeat(bytes - 8)}"}`
const full = (values: number) => `{"a":${listOf(values - 2, '0')}}`

/** One element of a reader's protocol. */
const WRAPS: Readonly<Record<string, (element: string) => string>> = {
  structured: (element) => element,
  batch: (element) => `[0,${element},0]`,
  lines: (element) => `0\n${element}\n0`,
  binary: (element) => element,
  lago: (element) => `{"event":${element}}`,
  'lago batch': (element) => `{"x":[[]],"events":[0,${element},0]}`,
}

describe('one element beyond a limit is one rejected event, and its neighbours are read', () => {
  const beyond: readonly (readonly [what: string, within: string, beyond: string, code: string])[] = [
    ['depth', `{"a":${nested(63)}}`, `{"a":${nested(64)}}`, 'event/unreadable'],
    ['bytes', padded(ELEMENT_BYTES_MAX), padded(ELEMENT_BYTES_MAX + 1), 'event/too_long'],
    ['values', full(ELEMENT_VALUES_MAX), full(ELEMENT_VALUES_MAX + 1), 'event/unreadable'],
  ]
  for (const [reader, wrap] of Object.entries(WRAPS)) {
    test.each(beyond)(`${reader}: %s`, (_, within, over, code) => {
      const isOne = !/batch|lines/.test(reader)
      const [good, bad] = [within, over].map((element) => read(reader, Buffer.from(wrap(element))))
      const beside = reader === 'lago batch' ? 'event/not_an_object' : 'read'
      expect(good).toEqual(isOne ? ['read'] : [beside, 'read', beside])
      expect(bad).toEqual(isOne ? [code] : [beside, code, beside])
    })
  }

  test('for other bodies it is 413, with what is too much', () => {
    for (const [, within, over] of beyond) {
      expect(read('other bodies', Buffer.from(within))).toEqual([])
      expect(read('other bodies', Buffer.from(over))).toEqual(['request/too_complex'])
    }
    expect(detailOf('other bodies', Buffer.from(full(2_001)))).toBe(
      'The body has more than 2000 values: send fewer.',
    )
  })
})

test('the first element too many ends the reading', () => {
  const many = (count: number) => Array<string>(count).fill('{}')
  for (const [reader, join] of [
    ['batch', (list: string[]) => `[${list.join(',')}]`],
    ['plain', (list: string[]) => `[${list.join(',')}]`],
    ['lines', (list: string[]) => list.join('\n')],
    ['lago batch', (list: string[]) => `{"events":[${list.join(',')}]}`],
  ] as const) {
    expect(read(reader, Buffer.from(join(many(BATCH_EVENTS_MAX))))).toHaveLength(BATCH_EVENTS_MAX)
    const beyond = Buffer.from(`${join(many(BATCH_EVENTS_MAX + 1))}, this is not looked at`)
    expect(read(reader, beyond)).toEqual(['request/too_many_events'])
  }
})

test('all events of a body may have a million values, and no more', () => {
  const element = listOf(1_999, '0')
  const most = BODY_VALUES_MAX / 2_000
  const sent = (count: number, more: string) => [
    ...Array<string>(count).fill(element),
    ...(more ? [more] : []),
  ]
  for (const [reader, join] of [
    ['batch', (list: readonly string[]) => `[${list.join(',')}]`],
    ['lines', (list: readonly string[]) => list.join('\n')],
    ['lago batch', (list: readonly string[]) => `{"events":[${list.join(',')}]}`],
  ] as const) {
    expect(read(reader, Buffer.from(join(sent(most, ''))))).toHaveLength(most)
    expect(read(reader, Buffer.from(join(sent(most, '1'))))).toEqual(['request/too_complex'])
  }
})

describe('the place of a mistake', () => {
  /** The beginning of a list, of so many bytes. */
  const front = (bytes: number) => {
    const elements = `${padded(100_000)},`.repeat(Math.floor((bytes - 1) / 100_001))
    return `[${elements}`.padEnd(bytes)
  }
  test('is told within the first MB, and beyond it only that it is there', () => {
    expect(detailOf('batch', Buffer.from(`${front(MIB - 100)}x]`))).toContain(`at position ${MIB - 100}`)
    expect(detailOf('batch', Buffer.from(`${front(MIB)}x]`))).toBe(
      'The body is not JSON: the mistake is beyond the first MB.',
    )
    // A value that is cut there is not what is wrong.
    for (const value of ['"\\u00', 'tru', '-', '1e+', '"a', '\u{1f4b0}'])
      expect(detailOf('batch', Buffer.from(`${front(MIB - 3)}${value}`))).toContain('not JSON')
  })

  test('is told of bytes that are not UTF-8', () => {
    const bad = (at: number) =>
      Buffer.concat([Buffer.from(front(at)), Buffer.from([0xff]), Buffer.from(' ]')])
    expect(detailOf('batch', bad(1_000))).toContain('from byte 1000 on')
    expect(detailOf('batch', bad(2 * MIB))).toContain('somewhere beyond its first MB')
  })
})
