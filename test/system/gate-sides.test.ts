import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Hour } from '../../src/core/time/hour.ts'
import { putAccount } from '../../src/flows/accounts/put-account.ts'
import { publishPriceList } from '../../src/flows/prices/publish-price-list.ts'
import { sealBackfill, sealHours } from '../../src/flows/settle/seal-hours.ts'
import { type GateSide, throughGate } from '../../src/store/gate.ts'
import { settleAll } from '../simulation/drive.ts'
import type { Deployment } from './deployment.ts'
import { BOOK, deployedWith, publish, thisHour, usage } from './price-versions.ts'

// Guarantee: what decides about the future of others' events holds the gate alone, and what decides about its own holds
// it shared. Each takes its place at once or waits; the race of gate.test.ts shows the same only as often as it is lucky.

/** Longer than any of these takes when nothing is in its way. */
const WAIT_MS = 1_500

let deployed: Deployment
beforeAll(async () => {
  // So that hours are due.
  deployed = await deployedWith(BOOK, (thisHour() - 3) as Hour)
})
afterAll(() => deployed.close())

/** Starts `work` while somebody holds the gate. @returns whether it ended before the gate was free */
async function endsBeside(side: GateSide, work: () => Promise<unknown>): Promise<boolean> {
  const gate = { free: () => {} }
  let holder: Promise<unknown> = Promise.resolve()
  await new Promise<void>((held) => {
    holder = throughGate(deployed.pool, side, () => {
      held()
      return new Promise<void>((free) => (gate.free = free))
    })
  })
  const working = work()
  const ended = await Promise.race([working.then(() => true), sleep(WAIT_MS, false)])
  gate.free()
  await Promise.all([holder, working])
  return ended
}

function send(id: string, hour: Hour): Promise<readonly string[]> {
  return deployed.send([usage(id, hour, { operation: 'Get' })])
}

async function openNewBackfill(id: string): Promise<void> {
  await settleAll(deployed)
  expect(await send(id, (thisHour() - 500) as Hour)).toEqual(['accepted'])
}

describe('a transaction that stores events holds the gate, and so', () => {
  test('no hour is sealed', async () => {
    expect(await endsBeside('shared', () => sealHours(deployed.pool, 0))).toBe(false)
  })

  test('no backfill is sealed', async () => {
    await openNewBackfill('backfill')
    expect(await endsBeside('shared', () => sealBackfill(deployed.pool, 0))).toBe(false)
  })

  test('no account is closed', async () => {
    const change = { closedAt: Date.now() - 60_000 } as never
    expect(await endsBeside('shared', () => putAccount(deployed.pool, 'cli:test', 'closing', change))).toBe(
      false,
    )
  })

  test('no price book is published', async () => {
    const version = { ...BOOK, operations: ['Ping', 'Fresh'] }
    expect(await endsBeside('shared', () => publish(deployed, version))).toBe(false)
  })

  test('no price list is published', async () => {
    const text = JSON.stringify({ priceList: 'partners', discount: '0.1' })
    const request = { name: 'partners', source: Buffer.from(text), actor: 'cli:test', dryRun: false }
    const publishing = () => publishPriceList(deployed.pool, { ...request, basedOn: undefined })
    expect(await endsBeside('shared', publishing)).toBe(false)
  })

  test('no account is put on a price list', async () => {
    const change = { priceLists: [{ list: 'partners', from: undefined }] }
    const putting = () => putAccount(deployed.pool, 'cli:test', 'partner', change)
    expect(await endsBeside('shared', putting)).toBe(false)
  })

  test('an account gets a name all the same', async () => {
    expect(
      await endsBeside('shared', () => putAccount(deployed.pool, 'cli:test', 'named', { name: 'Acme' })),
    ).toBe(true)
  })

  test('other events are stored all the same', async () => {
    expect(await endsBeside('shared', () => send('beside', thisHour()))).toBe(true)
  })
})

describe('while an hour is sealed', () => {
  test('no event is stored, by the short way', async () => {
    expect(await endsBeside('alone', () => send('short', thisHour()))).toBe(false)
  })

  test('no event is stored, by the long way', async () => {
    expect(await endsBeside('alone', () => send('long', (thisHour() - 600) as Hour))).toBe(false)
  })
})
