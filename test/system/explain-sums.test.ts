import { expect, test } from 'vitest'
import { decimal, plain, sum } from '../../src/core/money/decimal.ts'
import { createTrial } from '../../src/flows/ingest/dry-run.ts'
import { makeKeyRing } from '../../src/flows/keys/find-key.ts'
import { makeKey } from '../../src/flows/keys/make-key.ts'
import { makeGates } from '../../src/http/limits/gates.ts'
import { makeServer } from '../../src/http/server.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import { drive } from '../simulation/drive.ts'
import { randomHistory } from '../simulation/history.ts'
import { type Deployment, quiet } from './deployment.ts'

// Guarantee: whatever has happened, what the API lists behind a line adds up to the line.

/** SEED=7 takes that history alone. Theirs have late levels, voids, closings, prices that are filled in, and history. */
const { SEED } = process.env
const SEEDS = SEED === undefined ? [3, 11, 17, 23] : [Number(SEED)]

const now = () => Date.now() as Instant

interface Line {
  readonly number: number
  readonly component: string
  readonly item: string
  readonly rate: string
  readonly operation: string | null
  readonly project: string | null
  readonly region: string | null
  readonly usageHour: string
  readonly tier: number | null
  readonly listTier: number | null
  readonly correction: boolean
  readonly quantity: string
  readonly waived: string
}

interface Behind {
  readonly kind: string
  readonly voided?: boolean
  readonly quantity: string
  readonly waived?: string
}

interface Asked {
  get<Answer>(path: string): Promise<Answer>
  close(): Promise<unknown>
}

const SHARES = {
  questionsMax: 5,
  dryRunsMax: 5,
  questionsPerSecond: 10_000,
  connectionsMax: 100,
  failedKeysPerMinute: 100,
  trustedProxies: [],
}

async function served({ pool, ingest }: Deployment): Promise<Asked> {
  const made = await makeKey(pool, { name: 'test', scopes: ['admin'], account: null, expiresAt: null }, now())
  if (!made.ok) throw new Error(made.detail)
  const trial = createTrial({ pool })
  const keys = makeKeyRing(pool)
  const server = await makeServer({
    reading: pool,
    writing: pool,
    probes: pool,
    keys,
    gates: makeGates(SHARES, 5),
    ingest,
    trial,
    log: quiet,
    now,
    graceMs: 600_000,
  })
  const url = await server.listen({ port: 0, host: '127.0.0.1' })
  return {
    async get<Answer>(path: string) {
      const answer = await fetch(url + path, { headers: { authorization: `Bearer ${made.key}` } })
      if (answer.status !== 200) throw new Error(`${path}: ${await answer.text()}`)
      return (await answer.json()) as Answer
    },
    close: () => server.close(),
  }
}

/** All pages of a list, each with a few items. */
async function all<Item>(asked: Asked, path: string, limit: number): Promise<readonly Item[]> {
  const items: Item[] = []
  for (let cursor = ''; ;) {
    const page = await asked.get<{ items: Item[]; next: string | null }>(`${path}?limit=${limit}${cursor}`)
    items.push(...page.items)
    if (page.next === null) return items
    cursor = `&cursor=${page.next}`
  }
}

const seen = { lines: 0, storage: 0, corrections: 0, billed: 0, voided: 0 }

const KEY = ['component', 'item', 'rate', 'operation', 'project', 'region', 'usageHour'] as const

/** Usage belongs to a key, and the key may have a line for each tier that it touches: all of them have it behind them. */
function sumsOfKey(lines: readonly Line[], { tier, listTier, ...line }: Line) {
  const isOfKey = (other: Line) => KEY.every((name) => other[name] === line[name])
  const own = tier === null && listTier === null ? [line] : lines.filter(isOfKey)
  const sumOf = (name: 'quantity' | 'waived') => plain(sum(own.map((one) => decimal(one[name]))))
  return { quantity: sumOf('quantity'), waived: sumOf('waived') }
}

async function wrongLines(asked: Asked): Promise<readonly string[]> {
  const wrong: string[] = []
  for (const { id } of await all<{ id: string }>(asked, '/v1/bills', 1_000)) {
    const { lines } = await asked.get<{ lines: readonly Line[] }>(`/v1/bills/${id}`)
    for (const line of lines) {
      const behind = await all<Behind>(
        asked,
        `/v1/bills/${id}/lines/${line.number}/events`,
        1 + (line.number % 4),
      )
      const [quantity, waived] = (['quantity', 'waived'] as const).map((name) =>
        plain(sum(behind.map((item) => decimal(item[name] ?? '0')))),
      )
      const wanted = sumsOfKey(lines, line)
      if (quantity !== wanted.quantity || waived !== wanted.waived) {
        wrong.push(
          `${id}, line ${line.number}: ${quantity} (${waived}), not ${wanted.quantity} (${wanted.waived})`,
        )
      }
      seen.lines += 1
      if (line.component !== 'storage') continue
      seen.storage += 1
      if (line.correction) seen.corrections += 1
      if (behind.some(({ kind }) => kind === 'billed')) seen.billed += 1
      if (behind.some(({ kind, voided }) => kind === 'level' && voided === true)) seen.voided += 1
    }
  }
  return wrong
}

test.each(SEEDS)('of every line of history %d', async (seed) => {
  const { deployed } = await drive(randomHistory(seed, Math.floor(Date.now() / 3_600_000)))
  const asked = await served(deployed)
  try {
    expect(await wrongLines(asked)).toEqual([])
  } finally {
    await asked.close()
    await deployed.close()
  }
})

test('and every kind of line was among them', () => {
  if (SEED !== undefined) return
  expect(seen.lines).toBeGreaterThan(100)
  expect(seen.storage).toBeGreaterThan(50)
  expect([seen.corrections > 10, seen.billed > 10, seen.voided > 0]).toEqual([true, true, true])
})
