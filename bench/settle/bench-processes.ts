import { remark } from '../../src/cli/terminal/terminal.ts'
import { type Hour, hourOf } from '../../src/core/time/hour.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import type { BenchOptions } from '../options.ts'
import { ratios } from '../figures.ts'
import type { Part } from '../report.ts'
import type { Cleanup } from '../run/cleanup.ts'
import { loadHour } from '../run/load-hour.ts'
import { startScratchServer } from '../run/scratch-server.ts'
import { SETTLE_DEFAULTS } from './bench-settle.ts'
import { startSettlers } from './settlers.ts'

const WAYS = [
  { name: 'one process, one connection', processes: 1, lanes: 1 },
  { name: 'one process, two overlap', processes: 1, lanes: 2 },
  { name: 'two processes, one connection each', processes: 2, lanes: 1 },
  { name: 'two processes, two overlap in each', processes: 2, lanes: 2 },
] as const

/** How much faster several processes settle an hour together. */
export async function benchProcesses(options: BenchOptions, cleanup: Cleanup): Promise<readonly Part[]> {
  const { rounds, events, accounts } = { ...SETTLE_DEFAULTS, ...options }
  const hours = WAYS.length * (rounds + 1)
  const firstHour = (hourOf(Date.now() as Instant) - hours - 1) as Hour
  const server = await startScratchServer(firstHour, cleanup)
  const settlers = await startSettlers(server, 2, cleanup, options.cpuProf)
  const seconds: number[][] = WAYS.map(() => [])
  for (let round = 0; round <= rounds; round++) {
    for (const [way, { name, ...how }] of WAYS.entries()) {
      remark(`processes: ${name}, round ${round} of ${rounds}`)
      const hour = (firstHour + WAYS.length * round + way) as Hour
      await loadHour(server, { hour, seed: hour, events, accounts })
      await server.pool.query('vacuum (analyze) usage_event')
      const settled = await settlers.settle({ hour, ...how })
      if (round > 0) seconds[way]!.push(settled.seconds)
    }
  }
  const [alone, overlapping, two, twoOverlapping] = seconds as [number[], number[], number[], number[]]
  return [
    {
      title: `Processes that settle an hour of ${events.toLocaleString('en')} events together: ${rounds} rounds`,
      figures: [
        ...WAYS.map(({ name }, way) => ({ name, unit: 's', samples: seconds[way]! })),
        {
          name: 'two processes / one, one connection each',
          unit: 'x faster',
          samples: ratios(alone, two),
          target: 'at least 1.4, or',
        },
        {
          name: 'two processes / one, two overlap in each',
          unit: 'x faster',
          samples: ratios(overlapping, twoOverlapping),
          target: 'at least 1.15',
        },
      ],
    },
  ]
}
