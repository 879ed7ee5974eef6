import type { IngestBench } from './ingest-bench.ts'
import { setTimeout as sleep } from 'node:timers/promises'
import { remark } from '../../src/cli/terminal/terminal.ts'
import { type Hour, hourOf } from '../../src/core/time/hour.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import type { BenchOptions } from '../options.ts'
import type { Part } from '../report.ts'
import { startChild } from '../run/child.ts'
import type { Cleanup } from '../run/cleanup.ts'
import { hourName, loadHour } from '../run/load-hour.ts'
import { postgresCpuSeconds } from '../run/postgres-cpu.ts'
import { type ScratchServer, startScratchServer } from '../run/scratch-server.ts'
import { measureBatches } from './batches.ts'
import type { Load } from './bodies.ts'
import type { Sent, Target } from './load-process.ts'
import { measureRepeats } from './repeats.ts'
import { measureSingles } from './singles.ts'
import { makeTwinTable } from './twin-table.ts'

export const INGEST_DEFAULTS = {
  events: 100_000,
  accounts: 20_000,
  rounds: 5,
  preload: 500_000,
  spread: false,
} as const
const HOURS_PER_DAY = 24

/** How fast usage is taken, over real HTTP, against what the engine underneath can do. */
export async function benchIngest(options: BenchOptions, cleanup: Cleanup): Promise<readonly Part[]> {
  const bench = await startIngest({ ...INGEST_DEFAULTS, ...options }, options.cpuProf, cleanup)
  // The first thousands of requests are slower, everywhere: code is compiled while it runs.
  for (const batch of [100, 1_000]) {
    await bench.prepare({ events: 200 * batch, batch, repeats: 0 })
    await bench.send(8)
  }
  return [await measureBatches(bench), await measureRepeats(bench), await measureSingles(bench)]
}

type IngestOptions = Required<Pick<BenchOptions, keyof typeof INGEST_DEFAULTS>>

async function startIngest(
  options: IngestOptions,
  cpuProf: string | undefined,
  cleanup: Cleanup,
): Promise<IngestBench> {
  // The hour before this one: all its instants are past, and it is open.
  const hour = (hourOf(Date.now() as Instant) - 1) as Hour
  const { accounts } = options
  remark(`ingest: a server, and ${options.preload.toLocaleString('en')} events in the day`)
  const server = await startScratchServer(hour, cleanup)
  await loadDay(server, hour, options)
  const twin = await makeTwinTable(server, Math.floor(hour / 24))
  await twin.fill()
  const farthing = startChild(new URL('./server-process.js', import.meta.url), cleanup, cpuProf)
  const url = await farthing.ask<string>('start', { dataDir: server.dataDir })
  const sender = startChild(new URL('./load-process.js', import.meta.url), cleanup)
  let seed = 0
  return {
    ...options,
    server,
    twin,
    cleanup,
    async prepare(load) {
      seed += 1
      await sender.ask('prepare', { ...load, seed, hour: hourName(hour), accounts } satisfies Load)
      await sleep(200)
    },
    async send(connections, to = { url, child: farthing }) {
      const target: Target = { url: to.url, key: server.adminKey, connections }
      const used = async () => [
        await to.child.ask<number>('cpuSeconds'),
        postgresCpuSeconds(server.serverPid),
      ]
      const [before, sent, after] = [await used(), await sender.ask<Sent>('send', target), await used()]
      return {
        ...sent,
        serverCpuSeconds: after[0]! - before[0]!,
        postgresCpuSeconds: after[1]! - before[1]!,
      }
    },
  }
}

/** What the day holds before: all of it in the hour that is sent to, or as much in each of its hours up to that one. */
async function loadDay(
  server: ScratchServer,
  hour: Hour,
  { preload, spread, accounts }: IngestOptions,
): Promise<void> {
  const passed = spread ? hour % HOURS_PER_DAY : 0
  const hours = Array.from({ length: passed + 1 }, (_, index) => (hour - index) as Hour)
  for (const one of hours) {
    await loadHour(server, { hour: one, seed: one, events: Math.ceil(preload / hours.length), accounts })
  }
}
