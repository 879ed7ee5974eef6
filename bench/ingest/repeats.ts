import { setTimeout as sleep } from 'node:timers/promises'
import { remark } from '../../src/cli/terminal/terminal.ts'
import { type Figure, ratios } from '../figures.ts'
import type { Part } from '../report.ts'
import type { ScratchServer } from '../run/scratch-server.ts'
import type { IngestBench } from './ingest-bench.ts'

const BATCH = 1_000
const CONNECTIONS = 8
const SHARES = [0, 0.01, 0.1]
/** Sessions report what they did about once a second. */
const STATISTICS_MS = 1_500

/** What it costs when some events were sent before: the time for as many events, against none repeated. */
export async function measureRepeats(bench: IngestBench): Promise<Part> {
  const { rounds, events } = bench
  const seconds = SHARES.map((): number[] => [])
  const dead = SHARES.map((): number[] => [])
  for (let round = 1; round <= rounds; round++) {
    remark(`ingest: repeats, round ${round} of ${rounds}`)
    for (const [index, repeats] of SHARES.entries()) {
      await bench.prepare({ events, batch: BATCH, repeats })
      const deadBefore = await deadTuples(bench.server)
      const sent = await bench.send(CONNECTIONS)
      const { accepted = 0, duplicates = 0 } = sent.outcomes
      if (accepted + duplicates !== events) throw new Error(`not taken: ${JSON.stringify(sent.outcomes)}`)
      seconds[index]!.push(sent.seconds)
      dead[index]!.push((await deadTuples(bench.server)) - deadBefore)
    }
  }
  const [none = [], ...repeated] = seconds
  const figures = repeated.map((samples, index): Figure => ({
    name: `time with ${percent(SHARES[index + 1]!)} repeats / with none`,
    unit: 'x',
    samples: ratios(samples, none),
    target: 'at most 1.3',
  }))
  const deadFigures = dead.map((samples, index): Figure => ({
    name: `dead tuples with ${percent(SHARES[index]!)} repeats`,
    unit: 'rows',
    samples,
  }))
  return {
    title: `Repeats in batches of 1,000: ${rounds} rounds of ${events.toLocaleString('en')} events`,
    figures: [
      { name: 'without repeats', unit: 'events/s', samples: none.map((time) => events / time) },
      ...figures,
      ...deadFigures,
    ],
  }
}

function percent(share: number): string {
  return `${share * 100} %`
}

async function deadTuples({ pool }: ScratchServer): Promise<number> {
  await sleep(STATISTICS_MS)
  const { rows } = await pool.query<{ dead: string }>(
    `select coalesce(sum(n_dead_tup), 0) as dead from pg_stat_user_tables where relname like 'usage_event%'`,
  )
  return Number(rows[0]!.dead)
}
