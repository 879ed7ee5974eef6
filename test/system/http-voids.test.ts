import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formatHour, formatHourStart, type Hour } from '../../src/core/time/hour.ts'
import { REASON_BYTES_MAX } from '../../src/flows/voids/read-void-reason.ts'
import { VOID_RANGE_HOURS_MAX } from '../../src/http/routes/voids.ts'
import { requestEvent, type TestServer } from './http-server.ts'
import { at, first, now, voidServer, type VoidServer } from './void-server.ts'
import { inUnits } from './used-in-units.ts'

// Voiding usage over HTTP: what an order means, what it comes to, and where it shows.

function request(account: string, id: string, hour: number, data: object = {}) {
  const fields = { operation: 'SimpleQuery', status: 200, ...data }
  return requestEvent(id, { subject: account, time: at(hour), data: fields })
}
function level(account: string, id: string, hour: number, bytes: string) {
  const data = { project: 'photos', dataset: 'd', bytes }
  return requestEvent(id, { subject: account, type: 'farthing.storage', time: at(hour, 0), data })
}

let world: VoidServer
let server: TestServer
beforeAll(async () => {
  world = await voidServer()
  server = world.server
})
afterAll(() => server.close())

const get: VoidServer['get'] = (path) => world.get(path)
const order: VoidServer['order'] = (body, query) => world.order(body, query)

const range = { from: at(first, 0), to: at(now + 1, 0) }

const NOTHING = {
  voided: 0,
  alreadyVoided: 0,
  held: 0,
  duplicates: 0,
  levels: 0,
  storage: '0',
  givenBack: '0',
  notBilled: '0',
}
const END = { currency: 'USD', doneUntil: null, next: null }

describe('one order after the other', () => {
  const [own, open] = [first, now]
  const bill = `${formatHour(own)}.acme`
  const credit = `${formatHour(now)}.acme`

  beforeAll(async () => {
    const { json } = await server.send([
      request('acme', 'billed', own),
      request('acme', 'kept', own),
      request('acme', 'waived', own, { status: 503 }),
      request('acme', 'unknown', own, { operation: 'Teleport' }),
      request('acme', 'free', own, { operation: 'GetProject' }),
      request('acme', 'twice', own, { project: 'duplicates' }),
      request('acme', 'twice', own + 1, { project: 'duplicates' }),
      level('acme', 'l1', own, '1000000000'),
      level('acme', 'l2', own + 1, '5000000000'),
    ])
    if (json.accepted !== 8 || json.held !== 1) throw new Error(JSON.stringify(json))
    await world.settleHours()
    await server.send([{ ...request('acme', 'open', open), time: new Date().toISOString() }])
  }, 60_000)

  const base = { account: 'acme', dryRun: false, ...NOTHING, ...END }
  const reason = 'sent by a load test'

  test('a dry run says what the order would come to, and changes nothing', async () => {
    const body = { account: 'acme', id: 'billed', reason }
    const dry = await order(body, '?dryRun=true')
    expect([dry.status, dry.json]).toEqual([
      200,
      { ...base, dryRun: true, events: 1, voided: 1, givenBack: '-0.000005' },
    ])
    expect((await get('/v1/voids')).items).toEqual([])
    expect((await get('/v1/audit-log?act=event/void')).items).toEqual([])
    expect((await order(body)).json).toEqual({ ...dry.json, dryRun: false })
    expect((await order(body)).json).toEqual({ ...base, events: 1, alreadyVoided: 1 })
  })

  test.each([
    { id: 'waived', events: 1, voided: 1 },
    { id: 'unknown', events: 1, voided: 1, held: 1 },
    { id: 'free', events: 1, voided: 1 },
    { id: 'twice', events: 2, voided: 2, duplicates: 1, givenBack: '-0.000005' },
    { id: 'l2', events: 1, voided: 1, levels: 1 },
    { id: 'open', events: 1, voided: 1, notBilled: '-0.000005' },
  ])('an order for $id', async ({ id, ...expected }) => {
    const body = { account: 'acme', id, source: 'test', reason }
    expect((await order(body)).json).toEqual({ ...base, ...expected })
  })

  test('usage up to now has no usage that was voided, before the bill and after it', async () => {
    const path = `/v1/usage?account=acme&from=${range.from}&to=${range.to}&window=day&groupBy=item,project`
    const used = async () =>
      inUnits((await get(path)).items)
        .filter(({ item }) => item === 'StandardQueryL0')
        .map(({ quantity, waived }) => [quantity, waived] as const)
    const sums = async () => {
      const rows = await used()
      return [0, 1].map((column) => rows.reduce((sum, row) => sum + Number(row[column]), 0))
    }
    expect(await sums()).toEqual([1, 0])
    await world.settleHours()
    expect(await sums()).toEqual([1, 0])
    // Corrections by voids land in the hour in which it happened.
    const hourly = `/v1/usage?account=acme&from=${at(own, 0)}&to=${at(own + 1, 0)}&window=hour`
    expect(inUnits((await get(hourly)).items)).toContainEqual(
      expect.objectContaining({ unit: 'call', quantity: '1', waived: '0' }),
    )
  }, 60_000)

  test('a bill that gives back more than was used is a credit, and proved', async () => {
    const { total, lines } = await get(`/v1/bills/${credit}`)
    expect(total).toBe('-0.00001')
    const shown = lines
      .filter(({ component }: { component: string }) => component === 'request')
      .map(({ project, quantity, waived, amount, corrects }: Record<string, unknown>) => {
        return [project, quantity, waived, amount, corrects]
      })
    expect(shown).toEqual([
      [null, '-1', '-1', '-0.000005', bill],
      ['duplicates', '-1', '0', '-0.000005', bill],
    ])
    await world.expectProved()
  })

  test('behind a line that gives back are the events that were voided, with negative quantities', async () => {
    const { lines } = await get(`/v1/bills/${credit}`)
    for (const { number, quantity, waived, component } of lines) {
      const { items } = await get(`/v1/bills/${credit}/lines/${number}/events`)
      const sum = (name: string) =>
        items.reduce((all: bigint, item: Record<string, string>) => all + BigInt(item[name] ?? 0), 0n)
      if (component === 'request') {
        expect([sum('quantity'), sum('waived')].map(String)).toEqual([quantity, waived])
        expect(items.every(({ voided }: { voided: boolean }) => voided)).toBe(true)
      } else {
        expect(String(sum('quantity'))).toBe(quantity)
        const shown = items.map(({ id, voided, bill: on }: Record<string, unknown>) => [id ?? on, voided])
        expect(shown).toEqual(
          quantity.startsWith('-')
            ? [
                ['l1', false],
                ['l2', true],
                [expect.stringMatching(/Z\.acme$/), undefined],
              ]
            : [['l1', false]],
        )
      }
    }
    const ids = (await get(`/v1/bills/${credit}/lines/2/events`)).items
    expect(ids.map(({ event }: { event: { id: string } }) => event.id)).toEqual(['billed', 'waived'])
    const one = await get(`/v1/bills/${credit}/lines/2/events?limit=1`)
    const two = await get(`/v1/bills/${credit}/lines/2/events?limit=1&cursor=${one.next}`)
    expect([...one.items, ...two.items]).toEqual(ids)
    // The bill that had billed them still says from what it was made.
    const before = await get(`/v1/bills/${bill}/lines/1/events`)
    expect(before.items.map(({ voided, quantity }: Record<string, unknown>) => [voided, quantity])).toEqual([
      [false, '1'],
      [false, '1'],
      [false, '0'],
    ])
  })

  test.each([
    ['billed', `On the bill ${bill}, in line 1.`, `Given back on the bill ${credit}, in line 2.`],
    [
      'unknown',
      'Held: The price book',
      'It had no price, and was on no bill: there is nothing to give back.',
    ],
    ['free', 'GetProject is known and has no fee', 'It has no fee: there is nothing to give back.'],
    [
      'l2',
      'photos/d stores 5,000,000,000 bytes',
      `The storage of its hours is computed again on the bill ${credit}.`,
    ],
    ['open', '1 call under', `That was in time: it is left out of the bill of ${formatHour(now)}.`],
  ])('what became of %s', async (id, earlier, last) => {
    const { stored } = await get(`/v1/events?account=acme&id=${id}`)
    const [{ steps, voided, lines }] = stored
    const texts: readonly string[] = steps.map(({ text }: { text: string }) => text)
    expect(texts.some((text) => text.startsWith(earlier))).toBe(true)
    expect(texts.at(-1)).toBe(last)
    expect(texts.at(-2)).toMatch(/^Voided by \w+: sent by a load test$/)
    expect(voided).toMatchObject({ reason })
    if (id === 'open') expect(lines).toEqual([])
    if (id === 'billed') expect([lines, voided.bill, voided.lines]).toEqual([[1], credit, [2]])
  })

  test('voids are listed by usage hour, with who, why and what became of them; page by page too', async () => {
    const { items } = await get('/v1/voids?account=acme')
    const shown = items.map(({ id, hour, effect, bill: on }: Record<string, unknown>) => [
      id,
      hour,
      effect,
      on,
    ])
    expect(shown).toEqual(
      [
        ['billed', at(own, 0), 'given_back', credit],
        ['free', at(own, 0), 'given_back', credit],
        ['twice', at(own, 0), 'given_back', credit],
        ['unknown', at(own, 0), 'none', credit],
        ['waived', at(own, 0), 'given_back', credit],
        ['l2', at(own + 1, 0), 'given_back', credit],
        ['twice', at(own + 1, 0), 'none', credit],
        ['open', at(now, 0), 'left_out', credit],
      ].map(([id, hour, ...others]) => [id, hour!.replace('.000', ''), ...others]),
    )
    const paged: unknown[] = []
    for (let cursor = ''; ;) {
      const page = await get(`/v1/voids?limit=3${cursor}`)
      paged.push(...page.items)
      if (page.next === null) break
      cursor = `&cursor=${page.next}`
    }
    expect(paged).toEqual(items)
    const late = await get(`/v1/voids?from=${formatHourStart((own + 1) as Hour)}&to=${formatHourStart(now)}`)
    expect(late.items.map(({ id }: { id: string }) => id)).toEqual(['l2', 'twice'])
    const { key } = { key: await server.key(['usage:read'], 'another') }
    expect((await server.ask('/v1/voids', { key })).json.items).toEqual([])
  })

  test('each transaction that took something back is in the audit log, with the reason', async () => {
    const { items } = await get('/v1/audit-log?act=event/void')
    expect(items).toHaveLength(7)
    expect(items.at(-1)).toMatchObject({ account: 'acme', act: 'event/void' })
    expect(items.at(-1).detail).toBe(`Voided 1 event with the id "billed": ${reason}`)
  })
})

describe('what an order may say', () => {
  const good = { account: 'acme', id: 'no such', reason: 'x' }
  const inRange = { account: 'acme', ...range, reason: 'x' }
  const { reason: _, ...silent } = good
  test.each([
    ['an id that there is not', good, 404, 'void/not_found'],
    ['no reason', silent, 400, 'void/reason_missing'],
    ['a blank reason', { ...good, reason: ' \t ' }, 400, 'void/reason_missing'],
    ['a reason at the limit', { ...good, reason: 'x'.repeat(REASON_BYTES_MAX) }, 404, 'void/not_found'],
    ['a reason beyond it', { ...good, reason: 'x'.repeat(REASON_BYTES_MAX + 1) }, 400, 'void/invalid_reason'],
    ['a reason of two lines', { ...good, reason: 'a\nb' }, 400, 'void/invalid_reason'],
    ['a reason with U+0000', { ...good, reason: 'a\u0000b' }, 400, 'void/invalid_reason'],
    ['a reason with half a surrogate pair', { ...good, reason: 'a\ud800b' }, 400, 'void/invalid_reason'],
    ['an id with U+0000', { ...good, id: 'a\u0000b' }, 400, 'request/invalid_body'],
    ['an account with half a surrogate pair', { ...good, account: '\udc00' }, 400, 'request/invalid_body'],
    ['a name at the limit', { ...good, id: 'x'.repeat(512) }, 404, 'void/not_found'],
    ['a name beyond it', { ...good, id: 'x'.repeat(513) }, 400, 'request/invalid_body'],
    ['neither id nor range', { account: 'acme', reason: 'x' }, 400, 'void/unclear_selection'],
    ['half a range', { account: 'acme', from: range.from, reason: 'x' }, 400, 'void/unclear_selection'],
    ['an id, and what is meant of a range', { ...good, status: 200 }, 400, 'void/unclear_selection'],
    ['no account', { id: 'a', reason: 'x' }, 400, 'request/invalid_body'],
    ['a member that there is not', { ...good, soruce: 's' }, 400, 'request/invalid_body'],
    ['a status that is none', { ...inRange, status: 99 }, 400, 'request/invalid_body'],
    ['no time', { ...inRange, from: 'yesterday' }, 400, 'request/invalid_parameter'],
    ['no range', { ...inRange, to: range.from }, 400, 'request/invalid_parameter'],
    ['a list', [good], 400, 'request/invalid_body'],
  ])('%s', async (_name, body, status, code) => {
    const answer = await order(body)
    expect([answer.status, answer.json.code]).toEqual([status, code])
  })

  test('a range may have 62 days, and no hour more', async () => {
    const [most, more] = [0, 1].map((hours) => {
      return { ...inRange, to: formatHourStart((first + VOID_RANGE_HOURS_MAX + hours) as Hour) }
    })
    expect((await order(most!, '?dryRun=true')).status).toBe(200)
    const { status, json } = await order(more!, '?dryRun=true')
    expect([status, json.code]).toEqual([400, 'request/range_too_long'])
  })

  test('a cursor of another list, and a dry run that is neither true nor false', async () => {
    const { next } = await get('/v1/voids?limit=1')
    expect((await order(inRange, `?cursor=${next}`)).json.code).toBe('request/invalid_cursor')
    expect((await order(inRange, '?dryRun=1')).json.code).toBe('request/invalid_parameter')
  })

  test('only an admin may', async () => {
    const key = await server.key(['usage:write', 'usage:read', 'bills:read', 'prices:write'])
    const init = { method: 'POST', body: JSON.stringify(good), type: 'application/json', key }
    expect((await server.ask('/v1/voids', init)).json.code).toBe('auth/missing_scope')
  })
})
