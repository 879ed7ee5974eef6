import { setTimeout as sleep } from 'node:timers/promises'
import { findMinWriter } from './deployment.ts'
import { runOne, type Sql } from './query.ts'
import { checkWriter, Outdated } from './writer.ts'

/** Between two looks: a process that is too old ends within this time, also if nobody sends anything. */
export const WRITER_EVERY_MS = 2_000

export interface WriterWatch {
  /** Resolves, with the reason, when this version may no longer write; otherwise never. */
  readonly outdated: Promise<string>
  stop(): Promise<void>
}

/** Look, again and again, whether a newer version has raised the schema's watermark above this one. */
export function watchWriter(sql: Sql): WriterWatch {
  const abort = new AbortController()
  let tell: (reason: string) => void
  const outdated = new Promise<string>((resolve) => (tell = resolve))
  const watching = (async () => {
    while (!abort.signal.aborted) {
      await look(sql).catch((error: unknown) => {
        // A database that is away is said elsewhere.
        if (error instanceof Outdated) tell(error.message)
      })
      await sleep(WRITER_EVERY_MS, undefined, { signal: abort.signal, ref: false }).catch(() => undefined)
    }
  })()
  return {
    outdated,
    async stop() {
      abort.abort()
      await watching
    },
  }
}

async function look(sql: Sql): Promise<void> {
  const minWriter = await runOne(sql, findMinWriter, undefined)
  if (minWriter !== undefined) checkWriter(minWriter)
}
