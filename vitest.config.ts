import { defineConfig } from 'vitest/config'
import { SlowFirst } from './test/slow-first.ts'

// Two projects: `unit` needs nothing and runs on every save; `system` talks to a real PostgreSQL, real
// HTTP and real processes. One embedded server serves the whole run (test/database.ts).
export default defineConfig({
  test: {
    sequence: { sequencer: SlowFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/core/**/*.test.ts', 'test/unit/**/*.test.ts', 'sdk/src/**/*.test.ts'],
          globalSetup: ['test/run-folder.ts'],
          setupFiles: ['test/own-folder.ts'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'system',
          include: [
            'src/{store,flows,http,cli}/**/*.test.ts',
            'test/system/**/*.test.ts',
            'sdk/test/**/*.test.ts',
          ],
          globalSetup: ['test/system/one-server.ts'],
          setupFiles: ['test/own-folder.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: true,
          // One more than the cores that CI has: tests of processes and clocks mostly wait.
          maxWorkers: 3,
        },
      },
    ],
  },
})
