import { bucketOf } from '../../src/core/ingest/bucket.ts'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { type Hour, hourOf, startOf } from '../../src/core/time/hour.ts'
import { formatInstant, type Instant } from '../../src/core/time/instant.ts'
import { putAccount } from '../../src/flows/accounts/put-account.ts'
import { createIngest } from '../../src/flows/ingest/ingest.ts'
import { makeKey } from '../../src/flows/keys/make-key.ts'
import { endLevels } from '../../src/flows/settle/end-levels.ts'
import { countSources } from '../../src/flows/sources/count-sources.ts'
import { voidEvents } from '../../src/flows/voids/void-events.ts'
import { type Deployment, quiet } from './deployment.ts'
import { ALWAYS, BOOK, deployedWith, item, ITEMS, price, publish } from './price-versions.ts'

type Parts = { readonly [key: string]: Json }

/** The hour of the run. Live hours begin thirty hours before it: only then is a source known as steady. */
export const NOW = hourOf(Date.now() as Instant)
export const FIRST = (NOW - 30) as Hour

export const at = (hour: number, minutes = 10): string =>
  formatInstant((startOf(hour as Hour) + minutes * 60_000) as Instant)

function event(id: string, time: string, type: string, data: Json, more: Parts = {}): Json {
  const head = { specversion: '1.0', id, source: '/gateway/1', type, subject: 'acme', time }
  return { ...head, data, ...more }
}

export const call = (id: string, time: string, data: Parts = {}, more: Parts = {}): Json =>
  event(id, time, 'farthing.request', { operation: 'Get', status: 200, ...data }, more)

const work = (id: string, time: string, data: Parts): Json => event(id, time, 'farthing.processing', data)

const level = (id: string, time: string, bytes: string, more: Parts = {}): Json =>
  event(id, time, 'farthing.storage', { project: 'photos', dataset: 'd', bytes }, more)

const STORE = item('storage', { unit: 'byte', per: 'GB-hour', prices: [price(ALWAYS, '0.12')] })
const DRAWING = item('processing', { operations: ['Draw'], unit: 'page', per: 1 })
/** Charges drawings by a unit that their event type does not give, from the second hour on. */
const INK = item('processing', {
  operations: ['Draw'],
  unit: 'ink',
  per: 1,
  prices: [price(FIRST + 1, '0.25')],
})
const OLD = item('request', { operations: ['Old'], prices: [price(NOW + 100, '1')] })

const VERSION_1: Parts = {
  ...BOOK,
  operations: ['Ping', 'Old'],
  items: { ...ITEMS, Store: STORE, Drawing: DRAWING, Ink: INK, OldCalls: OLD },
  eventTypes: { drawn: { component: 'processing', operation: 'Draw', quantities: { page: 'pages' } } },
}

/** What version 1 did not know: an operation, one that is charged by a unit, and a type. */
const VERSION_2: Parts = {
  ...VERSION_1,
  items: {
    ...(VERSION_1['items'] as Parts),
    Teleports: item('request', { operations: ['Teleport'] }),
    Folds: item('processing', { operations: ['Fold'], unit: 'page', per: 1 }),
  },
  eventTypes: {
    ...(VERSION_1['eventTypes'] as Parts),
    folded: { component: 'processing', operation: 'Fold', quantities: { page: 'pages' } },
  },
}

/**
 * A deployment in which every outcome has happened: accepted, with and without a fee, waived, late, backfill; duplicates,
 * those under another time, conflicts; held for each reason, released; rejected; voided with each effect; levels that were
 * corrected, not in force, or ended by a closing; a silent source; two versions of the price book.
 */
export async function everyOutcome(): Promise<Deployment & { readonly adminKey: string }> {
  const deployed = await deployedWith(VERSION_1, FIRST)
  await sendFirstHours(deployed)
  await settleUntil(deployed, NOW - 2)
  await sendAfterwards(deployed)
  await takeBack(
    deployed,
    ['billed', FIRST],
    ['open', NOW - 1],
    ['held-for-good', FIRST],
    ['level-3', FIRST + 2],
  )
  const published = await publish(deployed, VERSION_2)
  if (!published.ok) throw new Error(JSON.stringify(published))
  await settleUntil(deployed, NOW)
  await close(deployed)
  await deployed.send([
    call('netted-2', at(FIRST + 1, 30), { project: 'netted' }),
    call('waiting', at(NOW, 0)),
  ])
  await takeBack(deployed, ['netted-1', FIRST + 1])
  await settleUntil(deployed, NOW + 1)
  await countSources({ pool: deployed.pool, log: quiet, stopping: () => false })
  const admin = { name: 'admin of the test', scopes: ['admin'], account: null, expiresAt: null } as const
  const made = await makeKey(deployed.pool, admin, Date.now() as Instant)
  if (!made.ok) throw new Error(made.detail)
  return { ...deployed, adminKey: made.key }
}

/** Hours are settled in order, so that each step sees the ones before. */
function settleUntil({ settle }: Deployment, hour: number): Promise<number> {
  return settle({ graceMs: Date.now() - startOf(hour as Hour) })
}

async function sendFirstHours({ send, pool }: Deployment): Promise<void> {
  const hours = Array.from({ length: 26 }, (_, index) => FIRST + index)
  await send(
    hours.map((hour) => call(`steady-${hour}`, at(hour), {}, { source: '/steady', subject: 'globex' })),
  )
  await send([
    call('billed', at(FIRST), { project: 'photos', region: 'eu' }),
    call('failed', at(FIRST, 11), { status: 500 }),
    call('free', at(FIRST, 12), { operation: 'Ping' }),
    call('other-component', at(FIRST, 13), { operation: 'Render' }),
    call('old', at(FIRST, 14), { operation: 'Old' }),
    call('nothing', at(FIRST, 15), { count: 0 }),
    call('twice', at(FIRST, 59)),
    work('rendered', at(FIRST, 16), { operation: 'Render', quantities: { page: '3' } }),
    work('broken', at(FIRST, 17), {
      operation: 'Render',
      mode: 'async',
      task: 't',
      outcome: 'failed',
      quantities: { page: 2 },
    }),
    level('level-1', at(FIRST, 30), '123456789012'),
    level('level-9', at(FIRST + 1, 0), '9'),
    level('level-10', at(FIRST + 1, 0), '1000000000000'),
    level('level-3', at(FIRST + 2, 0), '7'),
    level('closed-1', at(FIRST, 0), '5000000000', { subject: 'closed' }),
    call('held-for-good', at(FIRST), { operation: 'NeverHeardOf' }),
    call('held-operation', at(FIRST), { operation: 'StillUnknown' }),
    event('held-type', at(FIRST), 'nobody.knows', { pages: 1 }),
    work('held-price', at(FIRST, 18), { operation: 'Score', quantities: { call: 1 } }),
    event('held-unit', at(FIRST + 2), 'drawn', { pages: 2 }),
    event('held-unreadable', at(FIRST), 'folded', { leaves: 2 }),
    work('held-missing', at(FIRST, 19), { operation: 'Fold', quantities: { leaf: 1 } }),
    call('released', at(FIRST, 20), { operation: 'Teleport' }),
    call('released-in-time', at(NOW - 1, 20), { operation: 'Teleport' }),
    call('open', at(NOW - 1)),
    call('netted-1', at(FIRST + 1), { project: 'netted' }),
  ])
  await send([
    call('billed', at(FIRST), { project: 'photos', region: 'eu' }),
    call('billed', at(FIRST), { status: 404 }),
  ])
  const known = await createIngest({ pool, log: quiet, taken: 'known' })
  const stranger = call('stranger', at(FIRST), {}, { subject: 'nobody-knows-them' })
  await known.submit([{ raw: stranger }], undefined)
  await known.close()
}

async function sendAfterwards({ send }: Deployment): Promise<void> {
  await send([
    call('late', at(FIRST + 1, 20)),
    level('level-2', at(FIRST + 1, 30), '2000000000000'),
    call('twice', at(NOW - 1, 30)),
    call('backfill', '2025-03-30T01:10:00Z', {}, { subject: 'initech' }),
  ])
}

async function takeBack({ pool }: Deployment, ...events: readonly (readonly [id: string, hour: number])[]) {
  const keys = events.map(([id, hour]) => {
    const key = { hour: hour as Hour, bucket: bucketOf('acme'), account: 'acme' }
    return { ...key, id, source: '/gateway/1' }
  })
  const order = { actor: 'key_test', reason: 'metered twice', what: 'of a test' }
  const { decisions } = await voidEvents(pool, order, keys)
  if (decisions.length !== events.length)
    throw new Error(`${decisions.length} of ${events.length} were voided`)
}

async function close({ pool }: Deployment): Promise<void> {
  const closedAt = startOf((NOW - 3) as Hour)
  const put = await putAccount(pool, 'key_test', 'closed', { closedAt, tags: { tier: 'gold' } })
  if (!put.ok) throw new Error(put.detail)
  await endLevels({ pool, stopping: () => false })
}

/** Only a key of one account is refused it. */
export const TOO_OLD = call('r-old', '2010-01-01T00:00:00Z', {}, { subject: 'globex' })

/** For some accounts, beside the book. */
export const PRICE_LIST = 'priceList: partners\ndiscount: "0.1"\n'

/** A line for each code of a rejection that a sender can cause by its lines alone. */
export const REJECTED_LINES: Readonly<Record<string, string>> = {
  'event/not_an_object': '[1]',
  'event/missing_attribute': JSON.stringify({ specversion: '1.0', id: 'nameless' }),
  'event/invalid_attribute': JSON.stringify(call('r-attribute', at(NOW, 0), {}, { specversion: '0.3' })),
  'event/invalid_text': JSON.stringify(call('r-\u0000text', at(NOW, 0))),
  'event/too_long': JSON.stringify(call('r-long', at(NOW, 0), {}, { subject: 'a'.repeat(300) })),
  'event/invalid_time': JSON.stringify(call('r-time', 'yesterday')),
  'event/time_out_of_range': JSON.stringify(call('r-1999', '1999-12-31T23:59:59Z')),
  'event/missing_data': JSON.stringify({ ...(call('r-nodata', at(NOW, 0)) as Parts), data: undefined }),
  'event/invalid_data': JSON.stringify(call('r-data', at(NOW, 0), { status: 'fine' })),
  'event/invalid_quantity': JSON.stringify(call('r-quantity', at(NOW, 0), { count: -1 })),
  'event/inexact_number': JSON.stringify(call('r-number', at(NOW, 0), { x: 'X' })).replace(
    '"X"',
    '9007199254740993',
  ),
  'event/repeated_key': JSON.stringify(call('r-key', at(NOW, 0))).replace('"status"', '"status":1,"status"'),
  'event/missing_unit': JSON.stringify(
    work('r-unit', at(NOW, 0), { operation: 'Render', quantities: { leaf: 1 } }),
  ),
  'event/reserved_source': JSON.stringify(call('r-source', at(NOW, 0), {}, { source: 'x/farthing:closed' })),
  'event/account_closed': JSON.stringify(call('r-closed', at(NOW, 0), {}, { subject: 'closed' })),
  'event/unreadable': '{"specversion":',
}
