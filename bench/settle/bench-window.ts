import { remark } from '../../src/cli/terminal/terminal.ts'
import { type Hour, hourOf } from '../../src/core/time/hour.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import { bucketsPerTransaction } from '../../src/flows/settle/settle.ts'
import type { BenchOptions } from '../options.ts'
import { type Figure, median } from '../figures.ts'
import type { Part } from '../report.ts'
import type { Cleanup } from '../run/cleanup.ts'
import { loadHour } from '../run/load-hour.ts'
import { startScratchServer } from '../run/scratch-server.ts'
import { fillWindow } from './fill-window.ts'
import { startSettlers } from './settlers.ts'

export const WINDOW_DEFAULTS = { events: 20_000, accounts: 2_000, rounds: 3 } as const

/** Large hours take minutes to make: with them only the ends of the curve are measured, and few hours at once. */
const LARGE = { from: 500_000, days: [0, 62], dueTogether: 3 } as const
const USUAL = { days: [0, 1, 7, 31, 62], dueTogether: 24 } as const

/**
 * What the search for copies under another time costs: the same hour, with ever more days settled before it, each of
 * as many events an hour. And many due hours, which share the reading of the window.
 */
export async function benchWindow(options: BenchOptions, cleanup: Cleanup): Promise<readonly Part[]> {
  const { rounds, events, accounts } = { ...WINDOW_DEFAULTS, ...options }
  const { days: curve, dueTogether } = events >= LARGE.from ? LARGE : USUAL
  const hours = curve.length * (rounds + 1) + dueTogether
  const firstHour = (hourOf(Date.now() as Instant) - hours - 1) as Hour
  const server = await startScratchServer(firstHour, cleanup)
  const settlers = await startSettlers(server, 1, cleanup, options.cpuProf)
  const width = bucketsPerTransaction(events)
  const figures: Figure[] = []
  let hour = firstHour
  let filled = 0
  for (const days of curve) {
    remark(`window: ${days} days`)
    const before = (firstHour - filled * 24) as Hour
    await fillWindow(server, { hour: before, days: days - filled, eventsPerHour: events, width })
    filled = days
    await server.pool.query('vacuum (analyze) identity_segment')
    const samples: number[] = []
    for (let round = 0; round <= rounds; round++, hour = (hour + 1) as Hour) {
      await loadHour(server, { hour, seed: hour, events, accounts })
      const settled = await settlers.settle({ hour })
      if (round > 0) samples.push(settled.seconds)
    }
    figures.push({ name: `with ${days} days before it`, unit: 's', samples })
  }
  const [none, full] = [median(figures[0]!.samples), figures.at(-1)!.samples]
  const cost = { name: 'what 62 days add', unit: 's', samples: full.map((seconds) => seconds - none) }
  const target = events >= 2_000_000 ? 'under 60' : events <= 20_000 ? 'under 0.5' : ''
  for (let due = 0; due < dueTogether; due++) {
    await loadHour(server, { hour: (hour + due) as Hour, seed: hour + due, events, accounts })
  }
  const last = (hour + dueTogether - 1) as Hour
  const together = await settlers.settle({ hour: last, hours: dueTogether })
  figures.push({ ...cost, target })
  figures.push({
    name: `each of ${dueTogether} due hours, with 62 days`,
    unit: 's',
    samples: [together.seconds / dueTogether],
  })
  return [{ title: `Settling an hour of ${events.toLocaleString('en')} events: ${rounds} rounds`, figures }]
}
