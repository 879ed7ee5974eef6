import { type Running, start } from '../../src/serve.ts'
import { quiet } from '../run/scratch-server.ts'
import { cpuSeconds, doTasks } from '../run/tasks.ts'

const DAY_MS = 24 * 3_600_000

let running: Running | undefined

// Farthing as `farthing serve` runs it, on the bench's database. No hour is sealed meanwhile: settling is
// measured by itself.
doTasks(
  {
    async start({ dataDir }: { readonly dataDir: string }) {
      const settings = {
        port: 0,
        host: '127.0.0.1',
        dataDir,
        databaseUrl: undefined,
        priceBook: undefined,
        graceMs: DAY_MS,
        backfillQuietMs: 30_000,
        identityWindowMs: 62 * DAY_MS,
        taken: 'any' as const,
      }
      const started = await start(settings, quiet)
      if (!started.ok) throw new Error(started.detail)
      running = started.running
      return running.url
    },
    cpuSeconds,
    rssMib: () => process.memoryUsage.rss() / 2 ** 20,
  },
  () => running?.stop(),
)
