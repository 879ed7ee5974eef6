import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Random, seededRandom } from '../../bench/generate/random.ts'
import { makePool } from '../../src/store/connect.ts'
import { audit } from '../simulation/auditor.ts'
import { differences, IDENTITY_WINDOW_MS, settleAll } from '../simulation/drive.ts'
import type { Sent } from '../simulation/history.ts'
import { checkAnswers } from '../simulation/ledger.ts'
import { priceTable } from '../simulation/prices.ts'
import { type ServerLife, serverLife } from '../simulation/server-restarts.ts'
import { sendUntilAnswered } from '../simulation/stubborn-client.ts'
import { pick, usageData } from '../simulation/usage.ts'

// Guarantee: kill -9 of the server or of PostgreSQL, at any moment, while clients send and bills are made: every event
// that a client got an answer for is billed exactly once.

const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const HOUR_MS = 3_600_000
const currentHour = Math.floor(Date.now() / HOUR_MS)
const firstHour = currentHour - 4
const table = priceTable(firstHour)
/** Events of a delivery, of each client: the last one sends large ones, which are stored by threads. */
const CLIENTS = [40, 40, 400]

let life: ServerLife
beforeAll(async () => {
  life = await serverLife(firstHour, table)
})
afterAll(() => life.remove())

/** Usage of the last two days: bills are made while more comes in. No levels, whose hours never end. */
function deliveryOf(random: Random, source: string, number: number, batch: number): readonly Sent[] {
  const hour = currentHour - random.below(48)
  return Array.from({ length: batch }, (_, index) => {
    let usage = usageData(random)
    while (/storage|level/.test(usage.type)) usage = usageData(random)
    const time = new Date((hour - (index % 3)) * HOUR_MS + random.below(HOUR_MS)).toISOString()
    const id = `${number}-${index}`
    return { specversion: '1.0', id, source, subject: pick(random, ['acme', 'zeta', 'ü']), time, ...usage }
  })
}

test(`a server and a database that are killed lose nothing and double nothing (seed ${SEED})`, async () => {
  const random = seededRandom(SEED)
  const told = { stop: false, answered: 0 }
  const answersMore = async (deliveries: number) => {
    const enough = told.answered + deliveries
    while (told.answered < enough) await sleep(5)
  }
  const { adminKey, url } = life
  const clients = CLIENTS.map((batch, client) => {
    const own = seededRandom(random.uint32())
    let number = 0
    const next = () => {
      told.answered += number === 0 ? 0 : 1
      return told.stop ? undefined : deliveryOf(own, `client-${client}`, number++, batch)
    }
    return sendUntilAnswered({ adminKey, url, next })
  })
  for (const victim of ['server', 'postgres', 'both'] as const) {
    await life.start()
    // Past hours get their bills a second after their last event.
    await answersMore(1 + random.below(12))
    await sleep(random.below(1_500))
    if (victim !== 'server') life.killPostgres()
    // A server whose database is gone waits for it, or brings it up again.
    if (victim === 'postgres') await sleep(random.below(2_000))
    await life.killServer()
  }
  await life.start()
  await answersMore(3)
  told.stop = true
  const answers = (await Promise.all(clients)).flat()
  await life.stop()

  const database = await life.open()
  const pool = makePool(database.connection)
  try {
    await settleAll({ pool })
    const { findings, events, late } = await audit(pool, table, IDENTITY_WINDOW_MS / HOUR_MS)
    expect(await checkAnswers(pool, answers)).toEqual([])
    expect(findings).toEqual([])
    expect(await differences(pool)).toEqual([])
    expect([events > 300, late > 10]).toEqual([true, true])
  } finally {
    await pool.end()
    await database.stop()
  }
})
