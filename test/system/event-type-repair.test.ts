import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createHash } from 'node:crypto'
import { canonicalJson, type Json } from '../../src/core/text/canonical-json.ts'
import { createIngest } from '../../src/flows/ingest/ingest.ts'
import { makePool } from '../../src/store/connect.ts'
import { formatHourStart, type Hour, hourOf } from '../../src/core/time/hour.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import { type Deployment, quiet } from './deployment.ts'
import { requestEvent, testServer, type TestServer } from './http-server.ts'
import { BOOK, deployedWith, publish } from './price-versions.ts'
import { itemOf, rateOf } from './published-types.ts'
import { inUnits } from './used-in-units.ts'

// Guarantee: what the price book gets wrong about an event type is never answered as the sender's mistake, unless nobody
// can tell; and as long as nothing of the type was accepted, a new version puts it right.

let server: TestServer
beforeAll(async () => {
  server = await testServer({ firstHour: (hourOf(Date.now() as Instant) - 3) as never })
})
afterAll(() => server.close())

type Parts = { readonly [key: string]: Json }

const ITEMS = {
  Tokens: itemOf({ default: { ...rateOf('', 'token'), operations: ['Prompt', 'Chat'] } }),
  Words: itemOf({ default: rateOf('Chat', 'word') }),
}

/** The newest book with these types beside its own, and the items above. */
async function bookWith(eventTypes: Parts): Promise<Parts> {
  const { json } = await server.ask('/v1/price-book')
  const book = json.book as { readonly items: Parts; readonly eventTypes?: Parts }
  const types = { ...book.eventTypes, ...eventTypes }
  return { ...book, eventTypes: types, items: { ...book.items, ...ITEMS } } as unknown as Parts
}

async function post(eventTypes: Parts, query = '') {
  const body = JSON.stringify(await bookWith(eventTypes))
  return server.ask(`/v1/price-book${query}`, { method: 'POST', body, type: 'application/yaml' })
}

const typeOf = (quantities: Parts, operation = 'Prompt'): Parts => ({
  component: 'processing',
  operation,
  quantities,
})

/** As a version of Farthing that did not check this would have published it. */
async function publishUnchecked(eventTypes: Parts): Promise<void> {
  const book = canonicalJson(await bookWith(eventTypes))
  const digest = createHash('sha256').update(book).digest()
  await server.database.pool.query(
    `with next as (update deployment set price_version = price_version + 1 returning price_version)
     insert into price_version (version, published_by, book, source, digest)
     select price_version, 'old', $1, $1, $2 from next`,
    [book, digest],
  )
}

function event(type: string, id: string, data: object): Record<string, unknown> {
  return requestEvent(id, { type, subject: type, data })
}

async function sent(events: readonly object[]): Promise<readonly string[]> {
  const { json } = await server.send(events)
  return json.problems.map(
    ({ outcome, code, detail }: Record<string, string>) => `${outcome} ${code} ${detail}`,
  )
}

async function heldReason(subject: string) {
  const { json } = await server.ask('/v1/held-events')
  return json.items.find((group: { subject: string }) => group.subject === subject)
}

async function used(account: string): Promise<readonly string[]> {
  const now = hourOf(Date.now() as Instant)
  const [from, to] = [-48, 2].map((hours) => formatHourStart((now + hours) as Hour))
  const { json } = await server.ask(
    `/v1/usage?account=${account}&from=${from}&to=${to}&window=month&groupBy=item`,
  )
  return inUnits(json.items).map((row) => `${row['item']} ${row['quantity']} ${row['unit']}`)
}

test('a type that gives no unit by which its operation is charged is not published', async () => {
  for (const query of ['', '?dryRun=true']) {
    const answer = await post({ refused: typeOf({ tokenz: 'tokens' }) }, query)
    expect(answer.status).toBe(422)
    expect(answer.json).toMatchObject({
      code: 'price_book/invalid',
      problems: [
        { code: 'price_book/missing_quantity', line: 1, fix: expect.stringContaining('write token') },
      ],
    })
  }
})

test('nor does a deployment begin with it', async () => {
  const eventTypes = { wrong: { component: 'processing', operation: 'Render', quantities: { pages: 'n' } } }
  await expect(deployedWith({ ...BOOK, eventTypes })).rejects.toThrow(
    /book\.yaml:1:\d+: .*has the unit "pages", and Pages\/default charges Render by page\. write page, or/,
  )
})

const SLIPPED: readonly (readonly [what: string, type: string, wrong: Parts, data: Parts, right: Parts])[] = [
  ['a misspelt unit', 'slip-a', typeOf({ tokenz: 'n' }), { n: 3 }, typeOf({ token: 'n' })],
  [
    'one unit of two',
    'slip-b',
    typeOf({ token: 'n' }, 'Chat'),
    { n: 3, w: 2 },
    typeOf({ token: 'n', word: 'w' }, 'Chat'),
  ],
  ['only a unit of another operation', 'slip-c', typeOf({ word: 'n' }), { n: 3 }, typeOf({ token: 'n' })],
  [
    'a misspelt unit, where the data names the operation',
    'slip-d',
    { component: 'processing', quantities: { tokenz: 'n' } },
    { n: 3, operation: 'Prompt' },
    { component: 'processing', quantities: { token: 'n' } },
  ],
]

describe('what slipped through before it was checked is held, and released by the version that puts it right', () => {
  for (const [what, type, wrong, data, right] of SLIPPED) {
    test(`${what}: held, then billed`, async () => {
      await publishUnchecked({ [type]: wrong })
      const before = event(type, '1', data)
      const [said, ...others] = await sent([before])
      expect(said).toMatch(
        new RegExp(`^held held/unmapped_unit The event type ${type} has no (token|word) among`),
      )
      expect(others).toEqual([])
      expect(await sent([before])).toEqual([])
      expect(await heldReason(type)).toMatchObject({
        code: 'held/unmapped_unit',
        events: 1,
        advice: expect.stringContaining('may be changed'),
      })
      const fixed = await post({ [type]: right })
      expect([fixed.status, fixed.text]).toEqual([201, expect.any(String)])
      expect(await sent([event(type, '2', data)])).toEqual([])
      await server.settle()
      expect(await heldReason(type)).toBeUndefined()
      expect((await used(type))[0]).toBe('Tokens 6 token')
      // Now it is used, and stays.
      expect((await post({ [type]: wrong })).status).toBe(422)
      const other = await post({ [type]: { component: 'request', operation: 'Prompt' } })
      expect(other.json).toMatchObject({
        code: 'price_book/changes_past',
        problems: [{ code: 'price_book/changed_event_type' }],
      })
    })
  }
})

test('a type that was only ever held is used from its release on', async () => {
  await publishUnchecked({ late: typeOf({ tokenz: 'n' }) })
  await sent([event('late', '1', { n: 1, m: 2 })])
  expect((await post({ late: typeOf({ token: 'm' }) })).status).toBe(201)
  // Nothing was judged yet: it may still be changed.
  expect((await post({ late: typeOf({ token: 'n' }) })).status).toBe(201)
  await server.settle()
  expect(await used('late')).toEqual(['Tokens 1 token'])
  expect((await post({ late: typeOf({ token: 'm' }) })).json.code).toBe('price_book/changes_past')
})

test('a misspelt field cannot be told from data that lacks it: rejected, by name, and the type can be put right', async () => {
  expect((await post({ field: typeOf({ token: 'tokenz' }) })).status).toBe(201)
  const one = event('field', '1', { tokens: 3 })
  expect(await sent([one])).toEqual([
    'rejected event/invalid_quantity data.tokenz is missing: send it as a decimal string such as "12.5": the price book takes the token from it.',
  ])
  expect((await post({ field: typeOf({ token: 'tokens' }) })).status).toBe(201)
  expect(await sent([one])).toEqual([])
  expect(await used('field')).toEqual(['Tokens 3 token'])
  expect((await post({ field: typeOf({ token: 'tokenz' }) })).json.code).toBe('price_book/changes_past')
})

test('a type without quantities leaves them to its senders: rejected, until the type says where they are', async () => {
  expect((await post({ plain: { component: 'processing', operation: 'Prompt' } })).status).toBe(201)
  const one = event('plain', '1', { tokens: 3 })
  expect(await sent([one])).toEqual([
    'rejected event/missing_unit data.quantities.token is missing: Tokens/default is charged by it. Or say in the price book, under quantities of the event type plain, which field of data has it.',
  ])
  expect((await post({ plain: typeOf({ token: 'tokens' }) })).status).toBe(201)
  expect(await sent([one])).toEqual([])
  expect(await used('plain')).toEqual(['Tokens 3 token'])
})

describe('first events of types race with versions that change them', () => {
  let deployed: Deployment
  afterAll(() => deployed.close())

  // Every event notes under which version it was stored, at its commit.
  test('no event is stored under a version that another reading of its type has replaced', async () => {
    const names = Array.from({ length: 24 }, (_, index) => `race-${index}`)
    const typesWith = (field: (index: number) => string) =>
      Object.fromEntries(
        names.map((name, index) => [
          name,
          { component: 'processing', operation: 'Render', quantities: { page: field(index) } },
        ]),
      )
    deployed = await deployedWith({ ...BOOK, eventTypes: typesWith(() => 'a') })
    await deployed.pool.query(`
      create table stored (type text, version integer);
      create function note() returns trigger language plpgsql as $$
      begin
        insert into stored select new.type, price_version from deployment;
        -- While it lingers, a version that was compared before it came waits for the gate.
        perform pg_sleep(0.03);
        return null;
      end $$;
      create constraint trigger note after insert on usage_event deferrable initially deferred
        for each row execute function note();`)
    const pools = [1, 2].map(() => makePool(deployed.connection, { max: 3 }))
    const ingests = await Promise.all(pools.map((pool) => createIngest({ pool, log: quiet })))
    const send = async (type: string, index: number) => {
      const raw = event(type, '1', { a: 1, b: 2 }) as Json
      let submitted = await ingests[index % 2]!.submit([{ raw }], undefined)
      // A machine under load may ask to send it again, as a client does.
      while (!submitted.ok) submitted = await ingests[index % 2]!.submit([{ raw }], undefined)
      expect(submitted.results).toMatchObject([{ outcome: expect.stringMatching(/accepted|duplicate/) }])
    }
    /** By type, the version that changed it. */
    const changed = new Map<string, number>()
    let refused = 0
    for (const [index, name] of names.entries()) {
      const types = typesWith((at) => (changed.has(names[at]!) || at === index ? 'b' : 'a'))
      // Some come first, some last, and the rest at the same time.
      if (index < 2) await send(name, index)
      const sending =
        index > 3 && new Promise((resolve) => setTimeout(resolve, index)).then(() => send(name, index))
      const published = await publish(deployed, { ...BOOK, eventTypes: types })
      await (index === 2 || index === 3 ? send(name, index) : sending)
      if (published.ok) changed.set(name, published.version)
      else refused++
    }
    const { rows } = await deployed.pool.query<{ type: string; version: number }>('select * from stored')
    expect(rows).toHaveLength(names.length)
    const wrong = rows.filter(({ type, version }) => version < (changed.get(type) ?? 0))
    expect(wrong).toEqual([])
    expect(Math.min(changed.size, refused)).toBeGreaterThan(0)
    await Promise.all(ingests.map((ingest) => ingest.close()))
    await Promise.all(pools.map((pool) => pool.end()))
  })
})
