import { remark } from '../../src/cli/terminal/terminal.ts'
import { type Hour, hourOf } from '../../src/core/time/hour.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import type { BenchOptions } from '../options.ts'
import type { Figure } from '../figures.ts'
import type { Part } from '../report.ts'
import type { Cleanup } from '../run/cleanup.ts'
import { loadHour } from '../run/load-hour.ts'
import { startScratchServer } from '../run/scratch-server.ts'
import { startSettlers } from './settlers.ts'

/** As many events as accounts have in the target of 2,000,000 over 200,000. */
const EVENTS_PER_ACCOUNT = 2
const ACCOUNTS = [125_000, 250_000, 500_000, 1_000_000] as const
const ONE_ACCOUNT = [1_250_000, 2_500_000, 5_000_000] as const
const MINUTES_MAX = 'under 300'

/** How the time of an hour grows: with its accounts, and with the events of a single one. One round each. */
export async function benchScale(options: BenchOptions, cleanup: Cleanup): Promise<readonly Part[]> {
  const sizes = [
    ...ACCOUNTS.map((accounts) => ({ accounts, events: EVENTS_PER_ACCOUNT * accounts })),
    ...ONE_ACCOUNT.map((events) => ({ accounts: 1, events })),
  ].filter(({ events }) => events <= (options.events ?? Infinity))
  const firstHour = (hourOf(Date.now() as Instant) - sizes.length - 1) as Hour
  const server = await startScratchServer(firstHour, cleanup)
  const settlers = await startSettlers(server, 1, cleanup, options.cpuProf)
  const figures: Figure[] = []
  let memory = 0
  for (const [index, size] of sizes.entries()) {
    const name = `${size.events.toLocaleString('en')} events over ${size.accounts.toLocaleString('en')} accounts`
    remark(`scale: ${name}`)
    const hour = (firstHour + index) as Hour
    await loadHour(server, { hour, seed: index, ...size })
    await server.pool.query('vacuum (analyze) usage_event')
    const { seconds, rssMib } = await settlers.settle({ hour })
    memory = rssMib
    figures.push({ name, unit: 's', samples: [seconds], target: MINUTES_MAX })
  }
  figures.push({ name: 'memory, most so far', unit: 'MiB', samples: [memory] })
  return [{ title: 'Settling hours of many accounts, and of a very large one', figures }]
}
