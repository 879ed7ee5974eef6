import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bucketOf } from '../../src/core/ingest/bucket.ts'
import { type Hour, hourOf, startOf } from '../../src/core/time/hour.ts'
import { formatInstant, type Instant } from '../../src/core/time/instant.ts'
import { voidEvents } from '../../src/flows/voids/void-events.ts'
import { dyingPool } from '../simulation/dying-pool.ts'
import { differences, graceUntil } from '../simulation/drive.ts'
import { type Deployment, deployment } from './deployment.ts'

// Guarantee: an hour that is sealed between the decision where a void counts and its commit waits for that commit, so
// the event is left out of its bill, and never billed after all.

/** Longer than sealing and settling an hour take. */
const LINGER_MS = 1_500
const hour = (hourOf(Date.now() as Instant) - 2) as Hour
const KEY = { hour, bucket: bucketOf('acme'), account: 'acme', id: '1', source: 's' }

let deployed: Deployment
beforeAll(async () => {
  deployed = await deployment(hour)
})
afterAll(() => deployed.close())

test('an hour that is sealed while one of its events is voided leaves the event out', async () => {
  const time = formatInstant(startOf(hour))
  const data = { operation: 'SimpleQuery', status: 200 }
  const { id, source, account: subject } = KEY
  await deployed.send([{ specversion: '1.0', id, source, type: 'farthing.request', subject, time, data }])
  const told: { tell?: () => void } = {}
  const decided = new Promise<void>((resolve) => (told.tell = resolve))
  const slow = dyingPool(deployed.pool, async (statement) => {
    if (!statement.includes('insert into voided_event')) return undefined
    told.tell?.()
    await sleep(LINGER_MS)
    return undefined
  })
  const taking = voidEvents(slow, { actor: 'key_test', reason: 'a race', what: 'of a race' }, [KEY])
  await decided
  await Promise.all([deployed.settle({ graceMs: graceUntil(hour + 1) }), taking])
  await deployed.settle({ graceMs: graceUntil(hour + 2) })
  expect(await deployed.billsOf('acme')).toEqual([])
  expect(await differences(deployed.pool)).toEqual([])
})
