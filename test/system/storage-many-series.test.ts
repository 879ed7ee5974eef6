import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { bucketOf } from '../../src/core/ingest/bucket.ts'
import { formatHourStart, type Hour, hourOf } from '../../src/core/time/hour.ts'
import { formatInstant, type Instant } from '../../src/core/time/instant.ts'
import { voidEvents } from '../../src/flows/voids/void-events.ts'
import { differences, graceUntil, settleAll } from '../simulation/drive.ts'
import { type Deployment, deployment } from './deployment.ts'

// Guarantee: an account with very many series pays for a late level, a void or backfill exactly what it changes, and the
// work of settlement is that of its series once, not once for each hour since then.

/** `MANY_SERIES=100000 HOURS_BACK=9600` measures what docs/performance.md has. */
const SERIES = Number(process.env.MANY_SERIES ?? 3_000)
const HOURS_BACK = Number(process.env.HOURS_BACK ?? 310)
const HOUR_MS = 3_600_000
const NOW = hourOf(Date.now() as Instant)
const FIRST = (NOW - HOURS_BACK) as Hour
const CHUNK = 10_000

let deployed: Deployment
/** Milliseconds that the first hour took, in which all series are new. */
let firstHourMs: number

beforeAll(async () => {
  const dir = mkdtempSync(join(tmpdir(), 'farthing-many-'))
  const prices = [{ from: formatHourStart((FIRST - 20_000) as Hour), price: '0.01' }]
  const rate = { unit: 'byte', per: 'GB-hour', prices }
  const items = { Index: { component: 'storage', rates: { default: rate } } }
  writeFileSync(join(dir, 'prices.json'), JSON.stringify({ priceBook: 'many', currency: 'USD', items }))
  deployed = await deployment(FIRST, join(dir, 'prices.json'))
  rmSync(dir, { recursive: true })
  const all = Array.from({ length: SERIES }, (_, index) => level(`d${index}`, 0, 1_000))
  for (let start = 0; start < all.length; start += CHUNK) await send(...all.slice(start, start + CHUNK))
  await send(level('other place', 0, 5, 'q'))
  firstHourMs = await settleTo(1)
  await settleTo(HOURS_BACK - 6)
}, 3_600_000)
afterAll(() => deployed.close())

function level(dataset: string, hour: number, bytes: number, project = 'p'): Json {
  const time = formatInstant(((FIRST + hour) * HOUR_MS) as Instant)
  const data = { project, dataset, bytes: String(bytes) }
  const id = `${project}/${dataset}/${hour}`
  return { specversion: '1.0', id, source: 's', type: 'farthing.storage', subject: 'many', time, data }
}

async function send(...events: readonly Json[]): Promise<void> {
  expect(new Set(await deployed.send(events))).toEqual(new Set(['accepted']))
}

/** @returns milliseconds */
async function settleTo(hour: number): Promise<number> {
  const before = performance.now()
  while ((await deployed.settle({ graceMs: graceUntil(FIRST + hour) })) > 0);
  return performance.now() - before
}

/** Bytes that are charged for an hour in all, by project. */
async function charged(hour: number): Promise<string> {
  const { rows } = await deployed.pool.query<{ line: string }>(
    `select format('%s %s', project, trim_scale(sum(quantity) / 3600000)) as line
       from bill_line where account = 'many' and component = 'storage' and usage_hour = $1
      group by project having sum(quantity) <> 0 order by project`,
    [FIRST + hour],
  )
  return rows.map(({ line }) => line).join(', ')
}

async function expectCharged(hours: Readonly<Record<number, string>>): Promise<void> {
  for (const [hour, wanted] of Object.entries(hours))
    expect(`${hour}: ${await charged(Number(hour))}`).toBe(`${hour}: ${wanted}`)
}

const ALL = SERIES * 1_000

test('a late level, a void of it and backfill are charged exactly, at the cost of the series once', async () => {
  await expectCharged({ 0: `p ${ALL}, q 5`, 200: `p ${ALL}, q 5` })
  const ordinaryMs = await settleTo(HOURS_BACK - 5)

  // Late by all hours but one: the next level of its series is 200 hours later.
  await send(level('d7', 201, 3_000))
  await settleTo(HOURS_BACK - 4)
  await send(level('d7', 1, 2_000))
  const lateMs = await settleTo(HOURS_BACK - 3)
  await expectCharged({ 0: `p ${ALL}, q 5`, 1: `p ${ALL + 1_000}, q 5`, 200: `p ${ALL + 1_000}, q 5` })
  await expectCharged({ 201: `p ${ALL + 2_000}, q 5`, [HOURS_BACK - 4]: `p ${ALL + 2_000}, q 5` })

  const key = { hour: (FIRST + 201) as Hour, bucket: bucketOf('many'), account: 'many', source: 's' }
  const order = { actor: 'cli:test', reason: 'by mistake', what: 'of a test' }
  expect((await voidEvents(deployed.pool, order, [{ ...key, id: 'p/d7/201' }])).decisions).toHaveLength(1)
  const voidMs = await settleTo(HOURS_BACK - 2)
  await expectCharged({ 201: `p ${ALL + 1_000}, q 5`, [HOURS_BACK - 3]: `p ${ALL + 1_000}, q 5` })

  // Before the first live hour: backfill, whose level carries into all hours since.
  await send(level('new', -2, 9, 'r'))
  const sent = performance.now()
  await settleAll(deployed)
  const backfillMs = performance.now() - sent
  await expectCharged({ [-2]: 'r 9', 0: `p ${ALL}, q 5, r 9`, 200: `p ${ALL + 1_000}, q 5, r 9` })
  if (process.env.MANY_SERIES) console.log({ firstHourMs, ordinaryMs, lateMs, voidMs, backfillMs })
  // The proof reads all series in each hour.
  else expect(await differences(deployed.pool)).toEqual([])
  expect(lateMs / firstHourMs).toBeLessThan(3)
}, 3_600_000)
