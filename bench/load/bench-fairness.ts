import { remark } from '../../src/cli/terminal/terminal.ts'
import { type Hour, hourOf } from '../../src/core/time/hour.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import type { BenchOptions } from '../options.ts'
import { ratios } from '../figures.ts'
import type { Part } from '../report.ts'
import { startChild } from '../run/child.ts'
import type { Cleanup } from '../run/cleanup.ts'
import { startScratchServer } from '../run/scratch-server.ts'
import { makeKey, startSending } from './bench-sustained.ts'

/** Of a round: 1,500 answers, of which 15 are slower than p99. In 10 s it was the fifth slowest, a matter of luck. */
const SECONDS = 30
const ROUNDS = 3
const HOUR_MS = 3_600_000
/** The one who is measured. */
const MODEST = { batch: 1, connections: 4, requestsPerSecond: 50 } as const
/** The others, one at a time: as much as goes through 64 connections. */
const GREEDY = [
  { name: 'one event a request', batch: 1, connections: 64 },
  { name: 'batches of 1,000', batch: 1_000, connections: 64 },
] as const

/** What one key with 64 connections does to the answers of another one with 50 requests a second. */
export async function benchFairness(options: BenchOptions, cleanup: Cleanup): Promise<readonly Part[]> {
  const firstHour = (hourOf(Date.now() as Instant) - 1) as Hour
  const server = await startScratchServer(firstHour, cleanup)
  const farthing = startChild(new URL('../ingest/server-process.js', import.meta.url), cleanup)
  const url = await farthing.ask<string>('start', { dataDir: server.dataDir })
  const other = await makeKey(url, server.adminKey)
  const hours = { firstHour, startedAt: Date.now(), hourMs: HOUR_MS }
  const load = { url, accounts: 500, hours }
  const modest = () => startSending({ ...load, ...MODEST, key: other, seconds: SECONDS }, cleanup)
  await modest()
  const parts: Part[] = []
  for (const { name, ...greedy } of GREEDY) {
    const [alone, beside, refused]: [number[], number[], number[]] = [[], [], []]
    const rounds = options.rounds ?? ROUNDS
    for (let round = 1; round <= rounds; round++) {
      remark(`fairness: ${name}, round ${round} of ${rounds}`)
      alone.push((await modest()).latencyMs.p99)
      const [quick] = await Promise.all([
        modest(),
        startSending({ ...load, ...greedy, key: server.adminKey, seconds: SECONDS }, cleanup),
      ])
      beside.push(quick.latencyMs.p99)
      refused.push(quick.refused)
    }
    parts.push({
      title: `50 requests a second of one key, beside 64 connections of another with ${name}`,
      figures: [
        { name: 'p99 alone', unit: 'ms', samples: alone },
        { name: 'p99 beside', unit: 'ms', samples: beside },
        { name: 'beside / alone', unit: 'x', samples: ratios(beside, alone), target: 'under 10' },
        { name: 'its requests that were refused', unit: 'answers', samples: refused },
      ],
    })
  }
  return parts
}
