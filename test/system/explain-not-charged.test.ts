import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CommandHost, commandHost } from './cli-host.ts'
import { requestEvent } from './http-server.ts'
import { itemOf, rateOf } from './published-types.ts'
import { at, now, type VoidServer, voidServer } from './void-server.ts'

// Guarantee: of every event that costs nothing one can ask why, and gets the reason that is its own: by HTTP with a code
// that never changes, and on the command line with the same sentence.

const HOUR = now - 2

let own: VoidServer
let cli: CommandHost
beforeAll(async () => {
  own = await voidServer()
  cli = commandHost()
  await publishItems()
  await sendAll()
})
afterAll(async () => {
  await cli.close()
  await own.server.close()
})

async function publishItems(): Promise<void> {
  const { book } = await own.get('/v1/price-book')
  const calls = { operations: ['Both', 'CallOnly'], unit: 'call', per: 1, prices: prices({ price: '1' }) }
  const work = { ...rateOf('', 'page'), operations: ['Both', 'WorkOnly'] }
  const items = {
    Calls: { component: 'request', rates: { default: calls } },
    Pages: itemOf({ default: work }),
    Later: itemOf({ default: { ...rateOf('Sometimes', 'page'), prices: prices({ price: '1' }, '2999') } }),
    Gift: itemOf({ default: { ...rateOf('Gift', 'page'), prices: prices({ free: 'until launch' }) } }),
    Nought: itemOf({ default: { ...rateOf('Nought', 'page'), prices: prices({ price: '0' }) } }),
  }
  const operations = [...book.operations, 'Known', 'Sometimes']
  const body = JSON.stringify({ ...book, operations, items: { ...book.items, ...items } })
  const init = { method: 'POST', body, type: 'application/yaml' }
  const published = await own.server.ask('/v1/price-book', init)
  expect([published.status, published.text]).toEqual([201, expect.any(String)])
}

function prices(term: object, year = '2020'): readonly object[] {
  return [{ from: `${year}-01-01T00:00:00Z`, ...term }]
}

const request = (id: string, operation: string, data: object = {}, more: object = {}) =>
  requestEvent(id, { time: at(HOUR), data: { operation, status: 200, ...data }, ...more })
const work = (id: string, operation: string, data: object = {}, more: object = {}) =>
  request(
    id,
    operation,
    {},
    {
      type: 'farthing.processing',
      data: { operation, quantities: { page: 2 }, ...data },
      ...more,
    },
  )
const level = (id: string) =>
  request(id, '', {}, { type: 'farthing.storage', data: { dataset: 'd', bytes: '5' } })

/** Everything that happens, before the hour is settled and after it. */
async function sendAll(): Promise<void> {
  const events = Object.values(CASES).flatMap(([event]) => event ?? [])
  const { json } = await own.server.send([...events, work('twice', 'Both', { project: 'net' })])
  expect(json).toMatchObject({ rejected: 0, conflicts: 0 })
  await own.server.send([work('twice', 'Both', { project: 'net' })])
  await own.server.send([request('taken', 'Both', { status: 404 })])
  await voidOne('voided-open')
  await own.settleHours()
  await voidOne('voided-billed')
  await voidOne('voided-for-other')
  // Late usage of the line that gives as much back: the hour in whose bill both count has no line of it.
  await own.server.send([work('netted', 'Both', { project: 'other' })])
  await own.settleHours()
  await own.expectProved()
}

async function voidOne(id: string): Promise<void> {
  const answer = await own.order({ account: 'acme', source: 'test', id, reason: 'a test' })
  expect([answer.status, answer.json]).toMatchObject([200, { voided: 1 }])
}

type Case = readonly [event: object | readonly object[] | undefined, code: string | null, text: RegExp]

const CASES: Readonly<Record<string, Case>> = {
  charged: [work('charged', 'Both'), null, /^2 pages under Pages\/default, at 0\.5 USD per page\.$/],
  'known-request': [
    request('known-request', 'Known'),
    'not_charged/without_fee',
    /^Known is known and has no fee: it is counted, and is on no line\.$/,
  ],
  'known-work': [work('known-work', 'Known'), 'not_charged/without_fee', /^Known is known and has no fee/],
  'work-of-calls': [
    work('work-of-calls', 'CallOnly'),
    'not_charged/other_component',
    /^CallOnly is charged for requests only: this event reports processing, so it has no fee and is on no line\.$/,
  ],
  'call-of-work': [
    request('call-of-work', 'WorkOnly', { status: 500 }),
    'not_charged/other_component',
    /^WorkOnly is charged for processing only: this event reports a request, so it has no fee and is on no line\.$/,
  ],
  'not-yet': [
    work('not-yet', 'Sometimes'),
    'not_charged/not_in_force',
    /^No item that charges Sometimes is in force in this hour, and the price book lists it as without a fee/,
  ],
  'server-error': [
    request('server-error', 'Both', { status: 503 }),
    'not_charged/status',
    /^1 call under Calls\/default, counted and not billed: status 503 is not billed\.$/,
  ],
  failed: [
    work('failed', 'Both', { outcome: 'failed' }),
    'not_charged/failed',
    /^2 pages under Pages\/default, counted and not billed: it failed\.$/,
  ],
  'failed-at-once': [
    work('failed-at-once', 'Both', { mode: 'async', outcome: 'failed', quantities: {} }),
    'not_charged/failed',
    /^0 pages under Pages\/default, counted and not billed: it failed\.$/,
  ],
  free: [
    work('free', 'Gift'),
    'not_charged/free',
    /^2 pages under Gift\/default, free until launch: nothing is charged\.$/,
  ],
  'price-of-0': [
    work('price-of-0', 'Nought'),
    'not_charged/free',
    /^2 pages under Nought\/default, at 0 USD per page: nothing is charged\.$/,
  ],
  'no-pages': [
    work('no-pages', 'Both', { quantities: { page: 0 } }),
    'not_charged/zero_quantity',
    /^0 pages under Pages\/default: nothing was used, so nothing is charged\.$/,
  ],
  'no-calls': [
    request('no-calls', 'Both', { count: 0 }),
    'not_charged/zero_quantity',
    /^0 calls under Calls\/default: nothing was used/,
  ],
  held: [
    request('held', 'Unheard'),
    'held/unknown_operation',
    /^Held: The price book does not know the operation Unheard\. /,
  ],
  copy: [
    [work('copy', 'Both', {}, { time: at(HOUR - 1) }), work('copy', 'Both')],
    'not_charged/duplicate_elsewhere',
    /^A duplicate under another time: the event of this source and id in the hour \S+ counts, so this one is never billed\.$/,
  ],
  'voided-open': [
    work('voided-open', 'Both'),
    'not_charged/voided',
    /^That was in time: it is left out of the bill of \S+\.$/,
  ],
  'voided-billed': [
    work('voided-billed', 'Both', { project: 'back' }),
    'not_charged/voided',
    /^Given back on the bill \S+, in line \d+\.$/,
  ],
  'voided-for-other': [
    work('voided-for-other', 'Both', { project: 'other' }),
    'not_charged/voided',
    /^It is given back in \S+, where other usage of the same line makes up for it\.$/,
  ],
  netted: [
    undefined,
    'not_charged/netted_out',
    /^Settled: it is on no line of the bill of \S+, because usage of the same line that was voided there cancels it\.$/,
  ],
  twice: [undefined, null, /^2 pages under Pages\/default, at 0\.5 USD per page\.$/],
  level: [level('level'), null, /^d stores 5 bytes from \S+ on, until its next level\.$/],
  taken: [request('taken', 'Both'), null, /^1 call under Calls\/default, at 1 USD per call\.$/],
}

interface Step {
  readonly code: string | null
  readonly text: string
}

describe('why an event costs nothing', () => {
  for (const [id, [, code, text]] of Object.entries(CASES)) {
    test(`${id}: ${code ?? 'it does cost something'}`, async () => {
      const { stored } = await own.get(`/v1/events?account=acme&id=${id}`)
      const steps: readonly Step[] = stored[0].steps
      expect(stored).toHaveLength(id === 'copy' ? 2 : 1)
      const codes = steps.flatMap((step) => step.code ?? [])
      expect(codes).toEqual(code === null ? [] : [code])
      expect(steps.filter((step) => text.test(step.text)).map((step) => step.code)).toEqual([code])
      const env = { FARTHING_URL: own.server.url, FARTHING_KEY: own.server.adminKey }
      const run = await cli.run(['explain', '--account', 'acme', id], { env })
      expect(run.code).toBe(0)
      for (const step of steps) expect(run.stdout).toContain(step.text)
    })
  }
})

test('the reasons are different ones: no two codes share a sentence', async () => {
  const texts = new Map<string, string>()
  for (const [id, [, code]] of Object.entries(CASES)) {
    if (code === null) continue
    const { stored } = await own.get(`/v1/events?account=acme&id=${id}`)
    const { text } = (stored[0].steps as readonly Step[]).find((step) => step.code === code)!
    expect(texts.get(text) ?? code).toBe(code)
    texts.set(text, code)
  }
  expect(new Set(texts.values()).size).toBe(11)
})

test('an id that was taken by other content: the refusal says so, and the first event is charged', async () => {
  const { stored, refused } = await own.get('/v1/events?account=acme&id=taken')
  expect(stored).toHaveLength(1)
  expect(refused).toMatchObject([{ outcome: 'conflict', code: 'event/conflict' }])
})

test('the answer to the sender says it of usage of the other component, once for all events of a request', async () => {
  const events = ['1', '2'].flatMap((id) => [
    work(`remark-work-${id}`, 'CallOnly'),
    request(`remark-call-${id}`, 'WorkOnly'),
    work(`remark-none-${id}`, 'Known'),
  ])
  for (const query of ['?dryRun=true', '']) {
    const { json } = await own.server.send(events, {}, query)
    expect(json).toMatchObject({ accepted: 6, rejected: 0 })
    expect(json.problems).toMatchObject(
      [
        { index: 0, outcome: 'accepted', code: 'event/other_component', detail: /CallOnly/ },
        { index: 1, outcome: 'accepted', code: 'event/other_component', detail: /WorkOnly/ },
      ].map((one) => ({ ...one, detail: expect.stringMatching(one.detail) as string })),
    )
  }
})
