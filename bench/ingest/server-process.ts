import { readSettings } from '../../src/config.ts'
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
      const read = readSettings({ PORT: '0', FARTHING_DATA_DIR: dataDir, FARTHING_CONNECTIONS: '10000' }, '/')
      if (!read.ok) throw new Error(read.detail)
      const started = await start({ ...read.settings, graceMs: DAY_MS }, quiet)
      if (!started.ok) throw new Error(started.detail)
      running = started.running
      return running.url
    },
    cpuSeconds,
    pid: () => process.pid,
    rssMib: () => process.memoryUsage.rss() / 2 ** 20,
  },
  () => running?.stop(),
)
