import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  claimRequest,
  forgetOldRequests,
  giveBack,
  IDEMPOTENT_REQUEST_KEPT_MS,
  IDEMPOTENT_WORK_MS,
  keepAnswer,
  type RequestClaim,
} from '../../src/flows/shared/idempotent-requests.ts'
import { IDEMPOTENCY_KEY_LENGTH_MAX } from '../../src/http/idempotency.ts'
import { type Answer, requestEvent, testServer, type TestServer } from './http-server.ts'

// Guarantee: a request that is sent again with its Idempotency-Key does nothing again, and gets the same answer, whatever
// became of the first answer on its way; and no secret is stored for that.

let server: TestServer
beforeAll(async () => {
  server = await testServer()
  await server.send(['1', '2', '3'].map((id) => requestEvent(id)))
})
afterAll(() => server.close())

let names = 0
const newName = () => `name-${names++}`

interface Sent {
  readonly method: string
  readonly path: string
  readonly body: string
  readonly type?: string
}

function send(
  { method, path, body, type = 'application/json' }: Sent,
  name?: string,
  key = server.adminKey,
): Promise<Answer> {
  const headers = name === undefined ? {} : { 'idempotency-key': name }
  return server.ask(path, { method, body, type, key, headers })
}

async function count(path: string): Promise<number> {
  return (await server.ask(`${path}?limit=1000`)).json.items.length
}

async function audited(act: string): Promise<number> {
  return (await server.ask(`/v1/audit-log?limit=1000&act=${act}`)).json.items.length
}

const HOUR = new Date().toISOString().slice(0, 13) + 'Z'
const newKey = (name: string, more: object = {}): Sent => {
  return {
    method: 'POST',
    path: '/v1/keys',
    body: JSON.stringify({ name, scopes: ['usage:write'], ...more }),
  }
}

async function priceBook(operation: string): Promise<string> {
  const { json } = await server.ask('/v1/price-book')
  return JSON.stringify({ ...json.book, operations: [...json.book.operations, operation] })
}

/** Requests that make something; what the answer would be without the header; and how often it was done. */
const MAKING: Readonly<
  Record<
    string,
    {
      first: () => Promise<Sent>
      status: number
      again: number
      other: (sent: Sent) => Sent
      done: () => Promise<number>
    }
  >
> = {
  'a void': {
    first: async () => ({
      method: 'POST',
      path: '/v1/voids',
      body: '{"account":"acme","id":"1","reason":"x"}',
    }),
    status: 200,
    again: 200,
    other: (sent) => ({ ...sent, body: sent.body.replace('"1"', '"2"') }),
    done: () => audited('event/void'),
  },
  'a price book': {
    first: async () => ({
      method: 'POST',
      path: '/v1/price-book',
      body: await priceBook('Novel'),
      type: 'application/yaml',
    }),
    status: 201,
    again: 200,
    other: (sent) => ({ ...sent, body: sent.body.replace('"Novel"', '"Other"') }),
    done: () => count('/v1/price-book/versions'),
  },
  'an account': {
    first: async () => ({ method: 'PUT', path: '/v1/accounts/novel', body: '{"name":"Novel"}' }),
    status: 201,
    again: 200,
    other: (sent) => ({ ...sent, path: '/v1/accounts/other' }),
    done: () => count('/v1/accounts'),
  },
  'a manifest': {
    first: async () => ({
      method: 'POST',
      path: '/v1/manifests',
      body: `{"source":"s","hour":"${HOUR}","events":1}`,
    }),
    status: 201,
    again: 200,
    other: (sent) => ({ ...sent, body: sent.body.replace(':1}', ':2}') }),
    done: () => count('/v1/manifests'),
  },
}

for (const [what, { first, status, again, other, done }] of Object.entries(MAKING)) {
  describe(`${what}, asked for again with its Idempotency-Key`, () => {
    let sent: Sent
    const name = newName()
    let answer: Answer

    test('is done once, and answered with the same status and bytes', async () => {
      sent = await first()
      answer = await send(sent, name)
      expect([answer.status, answer.headers.get('idempotent-replayed')]).toEqual([status, null])
      const before = await done()
      for (let repeat = 0; repeat < 3; repeat++) {
        const repeated = await send(sent, name)
        expect([repeated.status, repeated.text]).toEqual([status, answer.text])
        expect(repeated.headers.get('idempotent-replayed')).toBe('true')
        expect(repeated.headers.get('content-type')).toBe(answer.headers.get('content-type'))
      }
      expect(await done()).toBe(before)
    })

    test('and with another body or address is refused', async () => {
      const before = await done()
      const refused = await send(other(sent), name)
      expect([refused.status, refused.json.code]).toEqual([422, 'idempotency/other_request'])
      expect(await done()).toBe(before)
      expect((await send(sent, name)).text).toBe(answer.text)
    })

    test('without one it is asked for again, as before', async () => {
      expect((await send(sent)).status).toBe(again)
    })
  })
}

describe('a key', () => {
  test('is made once; the repeat names it, and its text is stored nowhere', async () => {
    const [name, before] = [newName(), await count('/v1/keys')]
    const made = await send(newKey('once'), name)
    expect(made.status).toBe(201)
    const repeated = await send(newKey('once'), name)
    expect([repeated.status, repeated.json.code]).toEqual([409, 'key/already_made'])
    expect(repeated.json.detail).toContain(made.json.id)
    expect(await count('/v1/keys')).toBe(before + 1)
    expect((await send(newKey('twice'), name)).json.code).toBe('idempotency/other_request')
    const { rows } = await server.database.pool.query('select r::text as row from idempotent_request r')
    expect(JSON.stringify(rows)).toContain(made.json.id)
    expect(JSON.stringify(rows)).not.toContain(made.json.key)
  })

  test('is made once, also when all repeats come at one moment', async () => {
    const [name, before] = [newName(), await count('/v1/keys')]
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(newKey('flood'), name)))
    const statuses = answers.map(({ status }) => status).sort((a, b) => a - b)
    expect(statuses).toEqual([201, ...Array<number>(19).fill(409)])
    const id = answers.find(({ status }) => status === 201)!.json.id
    for (const { status, json } of answers) if (status === 409) expect(json.detail).toContain(id)
    expect(await count('/v1/keys')).toBe(before + 1)
  })
})

test('a void is ordered once, also when all repeats come at one moment', async () => {
  const [name, before] = [newName(), await audited('event/void')]
  const order = { method: 'POST', path: '/v1/voids', body: '{"account":"acme","id":"3","reason":"x"}' }
  const answers = await Promise.all(Array.from({ length: 10 }, () => send(order, name)))
  const working = answers.filter(({ status }) => status === 409)
  for (const { json, headers } of working) {
    expect([json.code, headers.get('retry-after')]).toEqual(['idempotency/in_progress', '1'])
  }
  const texts = new Set(answers.filter(({ status }) => status === 200).map(({ text }) => text))
  expect(texts.size).toBe(1)
  expect((await send(order, name)).json).toMatchObject({ voided: 1, alreadyVoided: 0 })
  expect(await audited('event/void')).toBe(before + 1)
})

test('keys of other senders have names of their own', async () => {
  const [name, body] = [newName(), `{"source":"own","hour":"${HOUR}","events":1}`]
  const manifest = { method: 'POST', path: '/v1/manifests', body }
  const [one, two] = [await server.key(['usage:write']), await server.key(['usage:write'])]
  expect((await send(manifest, name, one)).status).toBe(201)
  const other = { ...manifest, body: body.replace(':1}', ':7}') }
  expect((await send(other, name, two)).status).toBe(201)
  expect((await send(manifest, name, one)).headers.get('idempotent-replayed')).toBe('true')
})

test('what was refused is judged again, with whatever body', async () => {
  const name = newName()
  for (const [sent, code] of [
    [newKey('', {}), 'key/invalid_name'],
    [newKey('x', { scopes: ['nothing'] }), 'request/invalid_body'],
    [
      { method: 'POST', path: '/v1/price-book', body: 'priceBook: x', type: 'application/yaml' },
      'price_book/invalid',
    ],
    [{ method: 'POST', path: '/v1/voids', body: '{"account":"acme","id":"1"}' }, 'void/reason_missing'],
    [{ method: 'PUT', path: '/v1/accounts/x', body: '{"timeZone":"Nowhere"}' }, 'account/unknown_time_zone'],
  ] as const) {
    expect((await send(sent, name)).json.code).toBe(code)
  }
  expect((await send(newKey('at last'), name)).status).toBe(201)
})

test('a dry run does nothing, so it is no first request', async () => {
  const name = newName()
  const order = {
    method: 'POST',
    path: '/v1/voids?dryRun=true',
    body: '{"account":"acme","id":"2","reason":"x"}',
  }
  for (let repeat = 0; repeat < 2; repeat++) {
    const dry = await send(order, name)
    expect([dry.status, dry.json.dryRun, dry.headers.get('idempotent-replayed')]).toEqual([200, true, null])
  }
  expect((await send({ ...order, path: '/v1/voids' }, name)).json.voided).toBe(1)
})

describe('a name', () => {
  for (const [what, name] of Object.entries({
    empty: '',
    'with a blank': 'a b',
    'of other letters': 'é',
    'too long': 'a'.repeat(IDEMPOTENCY_KEY_LENGTH_MAX + 1),
  })) {
    test(`is refused: ${what}`, async () => {
      const before = await count('/v1/keys')
      const { status, json } = await send(newKey('x'), name)
      expect([status, json.code]).toEqual([400, 'idempotency/invalid_key'])
      expect(await count('/v1/keys')).toBe(before)
    })
  }

  test('may have any visible characters', async () => {
    for (const name of [
      'a'.repeat(IDEMPOTENCY_KEY_LENGTH_MAX),
      '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
      "x;y=1'--",
    ]) {
      expect((await send(newKey('x'), name)).status).toBe(201)
      expect((await send(newKey('x'), name)).status).toBe(409)
    }
  })
})

describe('what is remembered', () => {
  const age = (name: string, hours: number, status: string) =>
    server.database.pool.query(
      `update idempotent_request set claimed_at = claimed_at - $2 * interval '1 hour' ${status} where name = $1`,
      [name, hours],
    )

  test('is remembered for a day, and then forgotten', async () => {
    const name = newName()
    await send(newKey('day'), name)
    await age(name, 23.9, '')
    await forgetOldRequests(server.database.pool)
    expect((await send(newKey('day'), name)).status).toBe(409)
    await age(name, 0.2, '')
    expect((await send(newKey('another day'), name)).status).toBe(201)
    await age(name, 25, '')
    await forgetOldRequests(server.database.pool)
    const { rows } = await server.database.pool.query('select from idempotent_request where name = $1', [
      name,
    ])
    expect(rows).toEqual([])
  })

  test('of a process that was killed at its work: a repeat waits for it, and then does it', async () => {
    const name = newName()
    const manifest = {
      method: 'POST',
      path: '/v1/manifests',
      body: `{"source":"killed","hour":"${HOUR}","events":1}`,
    }
    await send(manifest, name)
    await age(name, 0, ', status = null, answer = null')
    expect((await send(manifest, name)).json.code).toBe('idempotency/in_progress')
    await age(name, 0.1, '')
    expect((await send({ ...manifest, body: manifest.body.replace(':1}', ':2}') }, name)).json.code).toBe(
      'idempotency/other_request',
    )
    const again = await send(manifest, name)
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([200, null])
    expect((await send(manifest, name)).headers.get('idempotent-replayed')).toBe('true')
  })
})

describe('one that is slow, and is taken over while it works', () => {
  const SLOW = { status: 200, text: '{"by":"the slow one"}' }
  const NEXT = { status: 201, text: '{"by":"the next one"}' }
  const digest = (of: string) => Buffer.alloc(32, of)
  const actor = 'slow worker'

  const claim = async (name: string, of = 'a') => {
    const taken = await claimRequest(server.database.pool, { actor, name, digest: digest(of) })
    return taken.state === 'new' ? taken.claim : taken
  }
  const isClaim = (taken: object): taken is RequestClaim => 'claim' in taken
  async function claimNew(name: string, of = 'a'): Promise<RequestClaim> {
    const taken = await claim(name, of)
    if (!isClaim(taken)) throw new Error(`it was not new: ${JSON.stringify(taken)}`)
    return taken
  }
  const age = (name: string, ms: number) =>
    server.database.pool.query(
      `update idempotent_request set claimed_at = claimed_at - $3 * interval '1 millisecond'
        where actor = $1 and name = $2`,
      [actor, name, ms],
    )
  const ENDS: Readonly<Record<string, (slow: RequestClaim) => Promise<void>>> = {
    'keeps its answer': (slow) => keepAnswer(server.database.pool, slow, SLOW),
    'gives it back': (slow) => giveBack(server.database.pool, slow),
  }
  /** How it was lost: too slow for the same request, for a day, forgotten, or given back by the one that took it over. */
  const LOST: Readonly<Record<string, (name: string) => Promise<RequestClaim>>> = {
    'to a repeat': async (name) => {
      await age(name, IDEMPOTENT_WORK_MS + 1)
      return claimNew(name)
    },
    'to another request a day later': async (name) => {
      await age(name, IDEMPOTENT_REQUEST_KEPT_MS + 1)
      return claimNew(name, 'b')
    },
    'and was forgotten before': async (name) => {
      await age(name, IDEMPOTENT_REQUEST_KEPT_MS + 1)
      await forgetOldRequests(server.database.pool)
      return claimNew(name)
    },
    'to a repeat that gave it back to a third': async (name) => {
      await age(name, IDEMPOTENT_WORK_MS + 1)
      await giveBack(server.database.pool, await claimNew(name))
      return claimNew(name)
    },
  }

  for (const [lost, take] of Object.entries(LOST)) {
    for (const [ends, end] of Object.entries(ENDS)) {
      test(`it was lost ${lost}: the slow one ${ends}, and that changes nothing`, async () => {
        const name = newName()
        const slow = await claimNew(name)
        const next = await take(name)
        const of = lost.includes('another') ? 'b' : 'a'
        await end(slow)
        expect(await claim(name, of)).toEqual({ state: 'working' })
        await keepAnswer(server.database.pool, next, NEXT)
        await end(slow)
        expect(await claim(name, of)).toEqual({ state: 'answered', answer: NEXT })
      })
    }
  }

  test('it was taken over by nobody: what it says at its end counts, however late', async () => {
    const [kept, given] = [newName(), newName()]
    const claims = [await claimNew(kept), await claimNew(given)] as const
    for (const name of [kept, given]) await age(name, IDEMPOTENT_WORK_MS + 1)
    await keepAnswer(server.database.pool, claims[0], SLOW)
    await giveBack(server.database.pool, claims[1])
    expect(await claim(kept)).toEqual({ state: 'answered', answer: SLOW })
    expect(isClaim(await claim(given, 'b'))).toBe(true)
  })
})

test('requests that read, and events, which have ids of their own, take no notice of the header', async () => {
  const [name, event] = [newName(), requestEvent('own-id')]
  for (let repeat = 0; repeat < 2; repeat++) {
    const headers = { 'idempotency-key': name }
    expect((await server.ask('/v1/bills', { headers })).headers.get('idempotent-replayed')).toBeNull()
    const { json } = await server.send([event], { headers })
    expect([json.accepted, json.duplicates]).toEqual(repeat === 0 ? [1, 0] : [0, 1])
  }
})
