import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { createIngest } from '../../src/flows/ingest/ingest.ts'
import { settleAll } from '../simulation/drive.ts'
import { quiet } from './deployment.ts'
import { requestEvent, type TestServer } from './http-server.ts'
import { publishTypes } from './published-types.ts'
import { at, first, voidServer, type VoidServer } from './void-server.ts'

// Guarantee: a level that is accepted and never in force, or ends nothing, is not accepted without a word.

let world: VoidServer
let server: TestServer
beforeAll(async () => {
  world = await voidServer()
  server = world.server
  await publishTypes(server, { 'com.example.level': { component: 'storage' } }, {})
})
afterAll(() => server.close())

interface Said {
  readonly id: string
  readonly gb: number
  readonly minute?: number
  readonly source?: string
  readonly place?: object
  readonly type?: string
  /** Hours after the first live one; long before it. */
  readonly hour?: number
}

function level(account: string, said: Said): Record<string, unknown> {
  const { id, gb, minute = 0, source = 's', place = {}, type = 'farthing.storage', hour = 0 } = said
  const data = { project: 'p', dataset: 'd', bytes: String(BigInt(gb) * 10n ** 9n), ...place }
  return requestEvent(id, { subject: account, type, source, time: at(first + hour, minute), data })
}

/** A delivery, with the remarks that it is answered with: by the index of the event, its code without `event/`. */
type Step =
  | { readonly send: readonly Said[]; readonly remarks?: Readonly<Record<number, string>> }
  | { readonly void: string }
  | 'settle'
  | { readonly close: number | null }

const NOT = 'level_not_in_force'
const REPLACES = 'level_replaces'
const NOTHING = 'level_ends_nothing'

const nine = { id: '9', gb: 1 }
const ten = { id: '10', gb: 3 }

const CASES: Readonly<Record<string, readonly Step[]>> = {
  'in one delivery: 9 is greater than 10': [{ send: [nine, ten], remarks: { 1: NOT } }],
  'in one delivery, the other way round': [{ send: [ten, nine], remarks: { 0: NOT } }],
  'one after the other': [{ send: [nine] }, { send: [ten], remarks: { 0: NOT } }],
  'one after the other, and the second is in force': [
    { send: [ten] },
    { send: [nine], remarks: { 0: REPLACES } },
  ],
  'the first is on a bill already': [
    'settle',
    { send: [nine] },
    'settle',
    { send: [ten], remarks: { 0: NOT } },
  ],
  'long before the first start': [
    { send: [{ ...nine, hour: -2_000 }] },
    { send: [{ ...ten, hour: -2_000 }], remarks: { 0: NOT } },
    'settle',
    { send: [{ id: '99', gb: 7, hour: -2_000 }], remarks: { 0: REPLACES } },
  ],
  'of two sources': [
    { send: [{ ...nine, source: 't' }] },
    { send: [{ ...ten, source: '\uff21' }], remarks: { 0: REPLACES } },
    { send: [{ id: '99', gb: 7, source: 's' }], remarks: { 0: NOT } },
    { send: [{ id: '1', gb: 8, source: '\u{1f9fe}' }], remarks: { 0: REPLACES } },
  ],
  'of three in one delivery two are not in force': [
    {
      send: [
        { id: 'b', gb: 1 },
        { id: 'c', gb: 2 },
        { id: 'a', gb: 3 },
      ],
      remarks: { 0: NOT, 2: NOT },
    },
  ],
  'one of the same bytes changes nothing': [
    { send: [{ id: 'b', gb: 1 }] },
    {
      send: [
        { id: 'a', gb: 1 },
        { id: 'c', gb: 1 },
      ],
    },
    { send: [{ id: 'bb', gb: 2 }], remarks: { 0: NOT } },
    { send: [{ id: 'd', gb: 1 }] },
  ],
  'a repeat is a duplicate, as ever': [
    { send: [nine, nine, ten], remarks: { 2: NOT } },
    { send: [ten, nine] },
    { send: [ten] },
  ],
  'other series and instants are not concerned': [
    {
      send: [
        nine,
        { ...ten, place: { dataset: 'e' } },
        { ...ten, id: '11', place: { project: 'q' } },
        { ...ten, id: '12', place: { region: 'eu' } },
        { ...ten, id: '13', place: { dataset: '', project: null } },
        { ...ten, id: '14', minute: 1 },
      ],
    },
    { send: [{ id: '1', gb: 4, place: { project: '', dataset: null } }], remarks: { 0: NOT } },
  ],
  'one that was voided is not in force': [
    { send: [nine] },
    { void: '9' },
    { send: [ten] },
    'settle',
    { send: [{ id: '1', gb: 4 }], remarks: { 0: NOT } },
  ],
  'of declared types too': [
    { send: [{ ...nine, type: 'com.example.level' }] },
    { send: [ten], remarks: { 0: NOT } },
    { send: [{ id: '99', gb: 5, type: 'com.example.level' }], remarks: { 0: REPLACES } },
  ],
  'an end that was added for a closing': [
    { send: [{ id: 'l', gb: 1 }] },
    { close: 20 },
    { close: null },
    { send: [{ id: 'a', gb: 2, minute: 20, source: 'a' }], remarks: { 0: NOT } },
    { send: [{ id: 'z', gb: 2, minute: 20, source: 'z' }], remarks: { 0: REPLACES } },
  ],
  'a delivery of many': [
    {
      send: Array.from({ length: 400 }, (_, index) => ({
        id: `${1_000 + index}`,
        gb: 1 + index,
        place: { dataset: `${index >> 1}` },
      })),
      remarks: Object.fromEntries(Array.from({ length: 200 }, (_, index) => [2 * index, NOT])),
    },
  ],
  'a first level of 0 ends nothing': [
    { send: [{ id: '1', gb: 0 }], remarks: { 0: NOTHING } },
    { send: [{ id: '2', gb: 0, minute: 5 }] },
  ],
  'an end with another region, dataset or project than its levels': [
    { send: [{ id: '1', gb: 5, place: { region: 'eu' } }] },
    {
      send: [
        { id: '2', gb: 0, minute: 5 },
        { id: '3', gb: 0, minute: 5, place: { dataset: 'D', region: 'eu' } },
        { id: '4', gb: 0, minute: 5, place: { project: '', region: 'eu' } },
        { id: '5', gb: 0, minute: 5, place: { region: 'eu' } },
      ],
      remarks: { 0: NOTHING, 1: NOTHING, 2: NOTHING },
    },
  ],
  'an end of what is in the same delivery, in an open hour, on a bill, or long ago': [
    {
      send: [
        { id: '1', gb: 5 },
        { id: '2', gb: 0, minute: 5 },
      ],
    },
    { send: [{ id: '3', gb: 5, place: { dataset: 'open' } }] },
    { send: [{ id: '4', gb: 0, minute: 5, hour: 1, place: { dataset: 'open' } }] },
    { send: [{ id: '5', gb: 5, hour: -70, place: { dataset: 'past' } }] },
    { send: [{ id: '6', gb: 0, hour: -40, place: { dataset: 'past' } }] },
    { send: [{ id: '7', gb: 5, place: { dataset: 'billed' } }] },
    'settle',
    { send: [{ id: '8', gb: 0, minute: 5, place: { dataset: 'billed' } }] },
    { send: [{ id: '9', gb: 5, place: { dataset: 'late' } }] },
    { send: [{ id: '10', gb: 0, minute: 5, place: { dataset: 'late' } }] },
  ],
  'an end before its level, which comes in later': [
    { send: [{ id: '1', gb: 0, minute: 5 }], remarks: { 0: NOTHING } },
    { send: [{ id: '2', gb: 5 }] },
  ],
}

/** The codes of the problems of an answer, by index, without `event/`. */
function remarksOf(json: { problems: { index: number; outcome: string; code: string }[] }) {
  return Object.fromEntries(json.problems.map(({ index, code }) => [index, code.replace('event/', '')]))
}

describe('the answer, as the dry run before it, has a remark', () => {
  test.each(Object.entries(CASES))('%s', async (name, steps) => {
    const account = `a${Object.keys(CASES).indexOf(name)}`
    for (const [index, step] of steps.entries()) {
      if (step === 'settle') await settleAll(server.database)
      else if ('void' in step) await world.order({ account, id: step.void, reason: 'a test' })
      else if ('close' in step) {
        const body = JSON.stringify({ closed: step.close === null ? null : at(first, step.close) })
        await server.ask(`/v1/accounts/${account}`, { method: 'PUT', body, type: 'application/json' })
      } else {
        const events = step.send.map((said) => level(account, said))
        const would = await server.send(events, {}, '?dryRun=true')
        const answer = await server.send(events)
        expect([index, remarksOf(answer.json)]).toEqual([index, step.remarks ?? {}])
        expect([index, remarksOf(would.json), would.json.accepted]).toEqual([
          index,
          step.remarks ?? {},
          answer.json.accepted,
        ])
        const outcomes = new Set(answer.json.problems.map(({ outcome }: { outcome: string }) => outcome))
        expect([...outcomes]).toEqual(step.remarks ? ['accepted'] : [])
      }
    }
  })
})

test('the sentence says which one is in force, and what to do; explain says it too', async () => {
  const { json } = await server.send([level('told', nine), level('told', ten)])
  expect(json.problems).toEqual([
    {
      index: 1,
      id: '10',
      outcome: 'accepted',
      code: 'event/level_not_in_force',
      detail:
        'Accepted, and without effect: of the levels of one series at one instant the one with the greatest source and id is in force, here that of event "9" of source "s". Send a correction at a later time, or take the other one back.',
    },
  ])
  const texts = async (id: string): Promise<string> => {
    const { stored } = await world.get(`/v1/events?account=told&id=${id}`)
    return stored[0].steps.map(({ text }: { text: string }) => text).join('\n')
  }
  const never = 'It is never in force: at the same instant the level of event 9 from s is'
  expect(await texts('10')).toContain(never)
  expect(await texts('9')).not.toContain('never in force')
  await settleAll(server.database)
  expect(await texts('10')).toContain(never)
  await world.order({ account: 'told', id: '9', reason: 'wrong' })
  expect(await texts('10')).not.toContain('never in force')
})

test('of two at once at least one is remarked on, in any process', async () => {
  const ingests = await Promise.all(
    [1, 2].map(() => createIngest({ pool: server.database.pool, log: quiet })),
  )
  const silent: number[] = []
  for (let round = 0; round < 25; round++) {
    const submitted = await Promise.all(
      ingests.map((ingest, index) => {
        const raw = level('race', { id: `${index}`, gb: 1 + index, place: { dataset: `${round}` } }) as Json
        return ingest.submit([{ raw }], undefined)
      }),
    )
    const codes = submitted.flatMap((one) => (one.ok ? one.results.map(({ code }) => code) : ['failed']))
    if (codes.every((code) => code === null)) silent.push(round)
  }
  await Promise.all(ingests.map((ingest) => ingest.close()))
  expect(silent).toEqual([])
})

test('of very many levels at one instant each look-up finds its own series', async () => {
  const count = 3_000
  const said = (id: number, gb: number) => ({ id: `${id}`, gb, place: { dataset: `${id}` } })
  const all = Array.from({ length: count }, (_, index) => level('snapshot', said(index, 1)))
  const answer = await server.send(all)
  expect([answer.json.accepted, answer.json.problems]).toEqual([count, []])
  const { json } = await server.send([level('snapshot', { ...said(7, 2), id: '6x' })])
  expect(remarksOf(json)).toEqual({ 0: NOT })
})
