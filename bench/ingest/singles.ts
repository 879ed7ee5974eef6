import { remark } from '../../src/cli/terminal/terminal.ts'
import { ratios } from '../figures.ts'
import type { Part } from '../report.ts'
import { startChild } from '../run/child.ts'
import type { IngestBench, Measured } from './ingest-bench.ts'

const CONNECTIONS = 64
/** Of a round: requests cost more than events. */
const REQUESTS_MAX = 30_000

/** One event a request, against a route that does nothing with the same body, by turns. */
export async function measureSingles(bench: IngestBench): Promise<Part> {
  const { rounds } = bench
  const requests = Math.min(bench.events, REQUESTS_MAX)
  const child = startChild(new URL('./empty-process.js', import.meta.url), bench.cleanup)
  const empty = { child, url: await child.ask<string>('start') }
  const product: Measured[] = []
  const baseline: Measured[] = []
  // Round 0 is not counted: code is compiled while it runs.
  for (let round = 0; round <= rounds; round++) {
    remark(`ingest: one event a request, and an empty route, round ${round} of ${rounds}`)
    await bench.prepare({ events: requests, batch: 1, repeats: 0 })
    const [sent, bare] = [await bench.send(CONNECTIONS), await bench.send(CONNECTIONS, empty)]
    if (round === 0) continue
    product.push(sent)
    baseline.push(bare)
  }
  const rate = product.map(({ seconds }) => requests / seconds)
  const emptyRate = baseline.map(({ seconds }) => requests / seconds)
  const cpu = (of: keyof Measured) => product.map((sent) => ((sent[of] as number) / requests) * 1e6)
  return {
    title: `One event a request on ${CONNECTIONS} connections: ${rounds} rounds of ${requests.toLocaleString('en')} requests`,
    figures: [
      { name: 'Farthing', unit: 'requests/s', samples: rate },
      { name: 'empty route', unit: 'requests/s', samples: emptyRate },
      {
        name: 'Farthing / empty route',
        unit: 'x',
        samples: ratios(rate, emptyRate),
        target: 'at least 0.3, aim 0.45',
      },
      { name: 'answer, p50', unit: 'ms', samples: product.map(({ latencyMs }) => latencyMs.p50) },
      { name: 'answer, p99', unit: 'ms', samples: product.map(({ latencyMs }) => latencyMs.p99) },
      { name: 'CPU: sender', unit: 'us/request', samples: cpu('cpuSeconds') },
      { name: 'CPU: Farthing', unit: 'us/request', samples: cpu('serverCpuSeconds') },
      { name: 'CPU: PostgreSQL', unit: 'us/request', samples: cpu('postgresCpuSeconds') },
    ],
  }
}
