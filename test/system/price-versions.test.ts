import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { type Hour, startOf } from '../../src/core/time/hour.ts'
import { bookOf } from '../../src/flows/prices/read-price-version.ts'
import { verify } from '../../src/flows/verify/verify.ts'
import { throughGate } from '../../src/store/gate.ts'
import { type Deployment, deployment } from './deployment.ts'
import {
  ALWAYS,
  BOOK,
  deployedWith,
  item,
  ITEMS,
  price,
  publish,
  thisHour,
  time,
  usage,
  withItems,
} from './price-versions.ts'

type Parts = { readonly [key: string]: Json }

let deployed: Deployment
beforeAll(async () => {
  deployed = await deployedWith(BOOK)
})
afterAll(() => deployed.close())

/** What the database says was published. */
async function stored({ pool }: Pick<Deployment, 'pool'>) {
  const { rows } = await pool.query<{ versions: number; newest: number; acts: string[] }>(
    `select (select count(*)::int from price_version) as versions,
            (select price_version from deployment) as newest,
            array(select actor || ' ' || detail from audit_entry where act = 'price-book/publish' order by number) as acts`,
  )
  return rows[0]!
}

const GET = { operations: ['Get', 'List'] }
const RENDER = { operations: ['Render'], unit: 'page', per: 1 }

/** Each kind of change: refused if it holds in the hour that lasts, allowed if it begins with the next one. */
const KINDS: Readonly<
  Record<string, readonly [code: string, refused: (now: Hour) => Json, allowed: (open: Hour) => Json]>
> = {
  'a price': [
    'price_book/changed_price',
    (now) =>
      withItems({ Calls: item('request', { ...GET, prices: [price(ALWAYS, '0.5'), price(now, '1')] }) }),
    (open) =>
      withItems({ Calls: item('request', { ...GET, prices: [price(ALWAYS, '0.5'), price(open, '1')] }) }),
  ],
  'the end of a price': [
    'price_book/changed_price',
    (now) => withItems({ Pages: item('processing', { ...RENDER, until: time(now) }) }),
    (open) => withItems({ Pages: item('processing', { ...RENDER, until: time(open) }) }),
  ],
  'the mapping of an operation': [
    'price_book/changed_mapping',
    (now) => withItems({ More: item('request', { operations: ['Get'], prices: [price(now, '1')] }) }),
    (open) => withItems({ More: item('request', { operations: ['Get'], prices: [price(open, '1')] }) }),
  ],
  statuses: [
    'price_book/changed_statuses',
    () => withItems({ Calls: item('request', { ...GET, billedStatuses: ['2xx'] }) }),
    (open) =>
      withItems({
        Calls: item('request', { ...GET, until: time(open) }),
        Calls2: item('request', { ...GET, billedStatuses: ['2xx'], prices: [price(open, '0.5')] }),
      }),
  ],
  'a unit': [
    'price_book/changed_unit',
    () => withItems({ Pages: item('processing', { ...RENDER, unit: 'sheet' }) }),
    (open) =>
      withItems({
        Pages: item('processing', { ...RENDER, until: time(open) }),
        Sheets: item('processing', { ...RENDER, unit: 'sheet', prices: [price(open, '0.5')] }),
      }),
  ],
  'a price of stored data': [
    'price_book/changed_price',
    (now) => withItems({ Store: store([{ from: ALWAYS, free: 'for now' }, price(now, '1')]) }),
    (open) => withItems({ Store: store([{ from: ALWAYS, free: 'for now' }, price(open, '1')]) }),
  ],
}

const dearerFrom = (from: Hour) =>
  withItems({ Calls: item('request', { ...GET, prices: [price(ALWAYS, '0.5'), price(from, '1')] }) })
const adding = (name: string) => ({ ...BOOK, operations: ['Ping', name] })
const store = (prices: Json) => item('storage', { unit: 'byte', per: 'GB-hour', prices })

describe('nothing changes for an hour that has begun', () => {
  for (const [name, [code, refused, allowed]] of Object.entries(KINDS)) {
    test(`${name}: refused for the hour that lasts, published for the next`, async () => {
      const own = await deployedWith(BOOK)
      const now = thisHour()
      const answer = await publish(own, refused(now))
      expect(answer).toMatchObject({ ok: false, code: 'price_book/changes_past', problems: [{ code }] })
      expect(await stored(own)).toEqual({ versions: 1, newest: 1, acts: [] })
      const open = await publish(own, BOOK, { dryRun: true })
      if (!open.ok) throw new Error(open.detail)
      expect(open.firstOpenHour).toBeGreaterThan(now)
      expect(await publish(own, allowed(open.firstOpenHour))).toMatchObject({
        ok: true,
        outcome: 'published',
        version: 2,
        basedOn: 1,
      })
      expect(await stored(own)).toMatchObject({ versions: 2, newest: 2 })
      await own.close()
    })
  }

  test('an event type stays once an event of it was accepted, and the currency always does', async () => {
    const eventTypes = { 'com.acme.page': { component: 'processing', operation: 'Render' } }
    expect(await publish(deployed, { ...BOOK, currency: 'USD' })).toMatchObject({
      code: 'price_book/changes_past',
      problems: [{ code: 'price_book/changed_currency', place: { line: 1 } }],
    })
    const own = await deployedWith({ ...BOOK, eventTypes })
    expect(await publish(own, BOOK, { dryRun: true })).toMatchObject({ ok: true, pastChanges: [] })
    const page = usage('p', thisHour() - 1, { quantities: { page: 1 } }, { type: 'com.acme.page' })
    expect(await own.send([page])).toEqual(['accepted'])
    expect(await publish(own, BOOK)).toMatchObject({ problems: [{ code: 'price_book/changed_event_type' }] })
    await own.close()
  })

  test('the next hour has begun too when usage of it was accepted: a clock was ahead', async () => {
    const own = await deployedWith(BOOK)
    const ahead = (thisHour() + 1) as Hour
    vi.useFakeTimers({ toFake: ['Date'], now: startOf(ahead) })
    expect(await own.send([usage('early', ahead, { operation: 'Get' })])).toEqual(['accepted'])
    vi.useRealTimers()
    expect(await publish(own, dearerFrom(ahead))).toMatchObject({ code: 'price_book/changes_past' })
    expect(await publish(own, dearerFrom((ahead + 1) as Hour))).toMatchObject({ outcome: 'published' })
    await own.close()
  })
})

describe('what was unknown may be filled', () => {
  test('an unknown price, an unknown operation and an unknown type, for every hour', async () => {
    const own = await deployedWith(BOOK)
    const hour = thisHour() - 5
    const score = usage(
      'score',
      hour,
      { operation: 'Score', mode: 'sync', quantities: { call: 2 } },
      {
        type: 'farthing.processing',
      },
    )
    const events = (id: string): readonly Json[] => [
      usage(`get-${id}`, hour, { operation: 'Get' }),
      usage(`new-${id}`, hour, { operation: 'Fresh' }),
      usage(`type-${id}`, hour, { operation: 'Get' }, { type: 'com.acme.call' }),
      { ...(score as Parts), id: `score-${id}` },
    ]
    expect(await own.send(events('1'))).toEqual(['accepted', 'held', 'held', 'held'])
    const filled = {
      ...withItems({
        Calls: item('request', { operations: ['Get', 'List', 'Fresh'] }),
        Scores: item('processing', { operations: ['Score'], prices: [price(ALWAYS, '7')] }),
      }),
      eventTypes: { 'com.acme.call': { component: 'request' } },
    }
    expect(await publish(own, filled)).toMatchObject({
      outcome: 'published',
      changes: [
        { kind: 'event_type_added' },
        { kind: 'operations_known', names: ['Fresh'] },
        { kind: 'operations_listed', item: 'Calls', names: ['Fresh'] },
        { kind: 'price_filled', item: 'Scores', was: 'unknown', becomes: '7' },
      ],
    })
    expect(await own.send(events('2'))).toEqual(['accepted', 'accepted', 'accepted', 'accepted'])
    await own.close()
  })

  test('every line of a bill names the version that was the newest when its hour was sealed', async () => {
    const own = await deployedWith(BOOK)
    const hour = thisHour() - 5
    await own.send([usage('1', hour, { operation: 'Get' }, { subject: 'before' })])
    await own.settle()
    await publish(own, { ...BOOK, operations: ['Ping', 'Fresh'] })
    await own.send([usage('1', hour, { operation: 'Get' }, { subject: 'after' })])
    await own.settle()
    const lines = async (account: string) =>
      (await own.billsOf(account)).flatMap((bill) =>
        bill.lines.map(({ item: name, rate, unitPrice, priceVersion }) => [
          name,
          rate,
          unitPrice,
          priceVersion,
        ]),
      )
    expect(await lines('before')).toEqual([['Calls', 'default', '0.5', 1]])
    expect(await lines('after')).toEqual([['Calls', 'default', '0.5', 2]])
    const differences: unknown[] = []
    const all = { from: 0 as Hour, to: (2 ** 31 - 1) as Hour, onProgress: () => undefined }
    for await (const one of verify(own.pool, all)) differences.push(one)
    expect(differences).toEqual([])
    await own.close()
  })
})

describe('publishing', () => {
  test('a dry run says what would change and what stands against it, and stores nothing', async () => {
    const before = await stored(deployed)
    const now = thisHour()
    const prices = [price(ALWAYS, '0.5'), price(now, '1'), price(now + 48, '2')]
    const answer = await publish(deployed, withItems({ Calls: item('request', { ...GET, prices }) }), {
      dryRun: true,
    })
    expect(answer).toMatchObject({
      ok: true,
      outcome: 'possible',
      version: before.newest + 1,
      changes: [
        { kind: 'price_changed', from: now, to: now + 48, was: '0.5', becomes: '1' },
        { kind: 'price_changed', from: now + 48, to: null, was: '0.5', becomes: '2' },
      ],
      pastChanges: [{ code: 'price_book/changed_price', hour: now }],
    })
    expect(await stored(deployed)).toEqual(before)
  })

  test('the same rules, however they are written, are no new version', async () => {
    const own = await deployedWith(BOOK)
    const calls = item('request', { operations: ['List', 'Get'], prices: [price(ALWAYS, '0.50')] })
    const yaml = `# the same\n${JSON.stringify(withItems({ Calls: calls }))}`
    expect(await publish(own, yaml)).toMatchObject({ outcome: 'unchanged', version: 1, changes: [] })
    expect(await publish(own, yaml, { basedOn: 1 })).toMatchObject({ outcome: 'unchanged' })
    expect(await stored(own)).toEqual({ versions: 1, newest: 1, acts: [] })
    await own.close()
  })

  test('a publication is noted with who made it, in its own transaction', async () => {
    const own = await deployedWith(BOOK)
    await publish(own, { ...BOOK, operations: ['Ping', 'Pong'] }, { actor: 'key_maria' })
    expect(await stored(own)).toEqual({
      versions: 2,
      newest: 2,
      acts: ['key_maria version 2, based on 1: 1 change'],
    })
    await own.pool.query('alter table audit_entry add check (false) not valid')
    await expect(publish(own, { ...BOOK, operations: ['Ping', 'Pong', 'Peng'] })).rejects.toThrow(
      'violates check',
    )
    expect(await stored(own)).toMatchObject({ versions: 2, newest: 2 })
    await own.close()
  })

  test('what is no price book is told with all its problems', async () => {
    expect(await publish(deployed, 'priceBook: x\ncurrency: EURO\nitem: {}\n')).toMatchObject({
      code: 'price_book/invalid',
      problems: [{ place: { line: 2, column: 11 } }, { place: { line: 3, column: 1 } }],
    })
  })

  test('illustrative prices are refused outside a demo, and fine in one', async () => {
    const marked = { from: ALWAYS, price: '0.5', illustrative: true }
    const next = withItems({ Calls: item('request', { ...GET, prices: [marked] }) })
    expect(await publish(deployed, next)).toMatchObject({ code: 'price_book/illustrative', problems: [{}] })
    const demo = await deployment()
    const { rows } = await demo.pool.query<{ source: string }>('select source from price_version')
    const more = rows[0]!.source.replace('\noperations:\n', '\noperations:\n  - Fresh\n')
    expect(await publish(demo, more)).toMatchObject({ outcome: 'published', version: 2 })
    await demo.close()
  })
})

describe('two publishers at once', () => {
  test('one wins, and the other is told which version was published', async () => {
    const own = await deployedWith(BOOK)
    let waiting: Promise<readonly Awaited<ReturnType<typeof publish>>[]> | undefined
    // Both have compared with version 1, and wait for the gate.
    await throughGate(own.pool, 'shared', async () => {
      waiting = Promise.all([publish(own, adding('One')), publish(own, adding('Two'))])
      await sleep(300)
    })
    const answers = await waiting!
    expect(answers.map((answer) => (answer.ok ? answer.outcome : answer.code)).toSorted()).toEqual([
      'price_book/newer_version',
      'published',
    ])
    expect(answers.find(({ ok }) => !ok)).toMatchObject({ newest: 2 })
    expect(await stored(own)).toMatchObject({ versions: 2, newest: 2 })
    await own.close()
  })

  test('what was made from an older version is refused, unless it says the same as the newest', async () => {
    const own = await deployedWith(BOOK)
    expect(await publish(own, adding('One'), { basedOn: 1 })).toMatchObject({ version: 2 })
    expect(await publish(own, adding('Two'), { basedOn: 1 })).toMatchObject({
      code: 'price_book/newer_version',
    })
    expect(await publish(own, adding('Two'), { basedOn: 3 })).toMatchObject({
      code: 'price/version_not_found',
    })
    // The answer to the first was lost, and it is sent again.
    expect(await publish(own, adding('One'), { basedOn: 1 })).toMatchObject({
      outcome: 'unchanged',
      version: 2,
    })
    await own.close()
  })

  test('many publications at once: each version is based on the one before', async () => {
    const own = await deployedWith(BOOK)
    const names: string[] = ['Ping']
    const worker = async (name: string) => {
      for (let round = 0; round < 10; round++) {
        for (;;) {
          const { version } = await bookOf(own.pool, null)
          const known = [...(await bookOf(own.pool, version)).book.operations].filter((op) =>
            /^(?:Ping|N)/.test(op),
          )
          const next = { ...BOOK, operations: [...known, `N${name}${round}`], items: ITEMS }
          const answer = await publish(own, next, { basedOn: version })
          if (answer.ok) break
          expect(answer.code).toBe('price_book/newer_version')
        }
        names.push(`N${name}${round}`)
      }
    }
    await Promise.all(['a', 'b', 'c'].map(worker))
    const { book, version } = await bookOf(own.pool, null)
    expect(version).toBe(31)
    expect(names.filter((name) => !book.operations.has(name))).toEqual([])
    await own.close()
  })
})
