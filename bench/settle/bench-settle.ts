import { remark } from '../../src/cli/terminal/terminal.ts'
import { type Hour, hourOf, next } from '../../src/core/time/hour.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import type { BenchOptions } from '../options.ts'
import { type Figure, ratios } from '../figures.ts'
import type { Part } from '../report.ts'
import type { Cleanup } from '../run/cleanup.ts'
import { loadHour } from '../run/load-hour.ts'
import { postgresCpuSeconds } from '../run/postgres-cpu.ts'
import { type ScratchServer, startScratchServer } from '../run/scratch-server.ts'
import { type Baseline, makeBaseline } from './baseline.ts'
import { benchPriced } from './bench-priced.ts'
import type { Settled } from './settle-process.ts'
import { type Settlers, startSettlers } from './settlers.ts'

export const SETTLE_DEFAULTS = { events: 200_000, accounts: 20_000, rounds: 5 } as const

const SMALL_HOUR = { events: 20_000, accounts: 2_000 }

type Sizes = Readonly<Record<keyof typeof SETTLE_DEFAULTS, number>>

/** A settled hour, and the engine's own work on it. */
interface Round extends Settled {
  readonly postgresCpuSeconds: number
  /** Seconds that making its bills again took. */
  readonly verify: number
  readonly groupBy: number
  readonly lines: number
  readonly bills: number
}

interface SettleBench extends Sizes {
  readonly server: ScratchServer
  readonly baseline: Baseline
  readonly settlers: Settlers
}

/** How fast an hour becomes bills, against what the engine underneath needs at least. */
export async function benchSettle(options: BenchOptions, cleanup: Cleanup): Promise<readonly Part[]> {
  const { rounds, events, accounts } = { ...SETTLE_DEFAULTS, ...options }
  if (options.priced) return benchPriced({ rounds, events, accounts }, cleanup, options.cpuProf)
  // Each round takes three hours of the past: a full, a small and an empty one. Round 0 is not counted.
  const hours = 3 * (rounds + 1)
  const firstHour = (hourOf(Date.now() as Instant) - hours - 1) as Hour
  remark('settle: a server')
  const server = await startScratchServer(firstHour, cleanup)
  const baseline = await makeBaseline(server, [firstHour, (firstHour + hours) as Hour])
  const settlers = await startSettlers(server, 1, cleanup, options.cpuProf)
  const bench = { rounds, events, accounts, server, baseline, settlers }
  const full: Round[] = []
  const small: Settled[] = []
  const empty: Settled[] = []
  for (let round = 0; round <= rounds; round++) {
    remark(`settle: an hour of ${events.toLocaleString('en')} events, round ${round} of ${rounds}`)
    const hour = (firstHour + 3 * round) as Hour
    const measured = await settleFull(bench, hour, round % 2 === 0)
    const smallHour = await settleSmall(bench, next(hour))
    const emptyHour = await settlers.settle({ hour: next(next(hour)) })
    if (round === 0) continue
    full.push(measured)
    small.push(smallHour)
    empty.push(emptyHour)
  }
  return [fullPart(bench, full), smallPart(bench, small, empty)]
}

/** @param settlesFirst the other way round, the baseline reads the hour first */
async function settleFull(bench: SettleBench, hour: Hour, settlesFirst: boolean): Promise<Round> {
  const { server, baseline, settlers, events, accounts } = bench
  await loadHour(server, { hour, seed: hour, events, accounts })
  // As the server itself would have done by the time the hour is settled, and so that neither is the first reader.
  await server.pool.query('vacuum (analyze) usage_event')
  const before = settlesFirst ? undefined : await baseline.groupBy(hour)
  const cpuBefore = postgresCpuSeconds(server.serverPid)
  const settled = await settlers.settle({ hour })
  const cpu = postgresCpuSeconds(server.serverPid) - cpuBefore
  const groupBy = before ?? (await baseline.groupBy(hour))
  const copied = await baseline.copy(hour)
  const verified = await settlers.verify(hour)
  return { ...settled, postgresCpuSeconds: cpu, groupBy, ...copied, verify: verified.seconds }
}

async function settleSmall({ server, settlers }: SettleBench, hour: Hour): Promise<Settled> {
  await loadHour(server, { hour, seed: hour, ...SMALL_HOUR })
  return settlers.settle({ hour })
}

function fullPart({ rounds, events, accounts }: Sizes, full: readonly Round[]): Part {
  const of = (name: keyof Round) => full.map((round) => round[name])
  const baseline = full.map(({ groupBy, lines, bills }) => groupBy + lines + bills)
  return {
    title: `Settling an hour of ${events.toLocaleString('en')} events over ${accounts.toLocaleString('en')} accounts: ${rounds} rounds`,
    figures: [
      { name: 'Farthing', unit: 's', samples: of('seconds') },
      { name: 'bare group by, delivered', unit: 's', samples: of('groupBy') },
      { name: 'bare COPY of the lines', unit: 's', samples: of('lines') },
      { name: 'bare COPY of the bills', unit: 's', samples: of('bills') },
      {
        name: 'Farthing / (group by + COPY)',
        unit: 'x',
        samples: ratios(of('seconds'), baseline),
        target: 'at most 2.5, aim 1.6',
      },
      { name: 'verify', unit: 's', samples: of('verify') },
      {
        name: 'speed of verify / speed of settling',
        unit: 'x',
        samples: ratios(of('seconds'), of('verify')),
        target: 'at least 0.8',
      },
      { name: 'events settled', unit: 'events/s', samples: full.map(({ seconds }) => events / seconds) },
      { name: 'CPU: Farthing', unit: 's', samples: of('cpuSeconds') },
      { name: 'CPU: PostgreSQL', unit: 's', samples: of('postgresCpuSeconds') },
      { name: 'memory, most so far', unit: 'MiB', samples: of('rssMib'), target: 'under 256' },
    ],
  }
}

function smallPart({ rounds }: Sizes, small: readonly Settled[], empty: readonly Settled[]): Part {
  const figures: readonly Figure[] = [
    { name: '20,000 events over 2,000 accounts', unit: 'ms', samples: ms(small), target: 'under 800' },
    { name: 'nothing', unit: 'ms', samples: ms(empty), target: 'about 20' },
  ]
  return { title: `Settling an hour of little: ${rounds} rounds`, figures }
}

function ms(settled: readonly Settled[]): readonly number[] {
  return settled.map(({ seconds }) => seconds * 1000)
}
