import { remark } from '../../src/cli/terminal/terminal.ts'
import { ratios } from '../figures.ts'
import type { Part } from '../report.ts'
import type { IngestBench, Measured } from './ingest-bench.ts'

const BATCH = 1_000
const CONNECTIONS = 8

/** Batches of 1,000 over HTTP, against a bare COPY of the rows that came of them, by turns. */
export async function measureBatches(bench: IngestBench): Promise<Part> {
  const { rounds, events, twin } = bench
  const product: Measured[] = []
  const copies: number[] = []
  for (let round = 1; round <= rounds; round++) {
    remark(`ingest: batches of 1,000 and COPY, round ${round} of ${rounds}`)
    await bench.prepare({ events, batch: BATCH, repeats: 0 })
    await twin.mark()
    const sent = await bench.send(CONNECTIONS)
    product.push(sent)
    copies.push(await twin.copyNewRows(sent.outcomes['accepted'] ?? 0))
  }
  const rate = product.map(({ seconds }) => events / seconds)
  const copyRate = copies.map((seconds) => events / seconds)
  const perEvent = (seconds: (sent: Measured) => number) =>
    product.map((sent) => (seconds(sent) / events) * 1e6)
  return {
    title: `Ingest of batches of 1,000 on ${CONNECTIONS} connections: ${rounds} rounds of ${events.toLocaleString('en')} events`,
    figures: [
      { name: 'Farthing', unit: 'events/s', samples: rate },
      { name: 'bare COPY by psql', unit: 'events/s', samples: copyRate },
      {
        name: 'Farthing / COPY',
        unit: 'x',
        samples: ratios(rate, copyRate),
        target: 'at least 0.4, aim 0.6',
      },
      { name: 'answer to a batch, p50', unit: 'ms', samples: product.map(({ latencyMs }) => latencyMs.p50) },
      { name: 'answer to a batch, p99', unit: 'ms', samples: product.map(({ latencyMs }) => latencyMs.p99) },
      { name: 'CPU: sender', unit: 'us/event', samples: perEvent((sent) => sent.cpuSeconds) },
      { name: 'CPU: Farthing', unit: 'us/event', samples: perEvent((sent) => sent.serverCpuSeconds) },
      { name: 'CPU: PostgreSQL', unit: 'us/event', samples: perEvent((sent) => sent.postgresCpuSeconds) },
    ],
  }
}
