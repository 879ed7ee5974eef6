import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Place } from './place.ts'
import { send } from './postmaster.ts'
import { HAS_PROC, orphans } from './postmaster-file.ts'
import { PORT } from './socket-dir.ts'

const POLL_MS = 50

/** What an orphaned server process is told, and after how long: its work is lost in any case. */
const SIGNALS = [
  { signal: 'SIGQUIT', afterMs: 2_000 },
  { signal: 'SIGKILL', afterMs: 7_000 },
] as const

/** Remove what a killed server has left, once none of its processes is left. Call in turn, when none runs. */
export async function clearAway({ pgdata }: Place, socketDir: string): Promise<void> {
  const begin = Date.now()
  for (let left = orphans(pgdata); left.length > 0; left = orphans(pgdata)) {
    const due = SIGNALS.findLast(({ afterMs }) => Date.now() - begin > afterMs)
    if (due) for (const pid of left) send(pid, due.signal)
    await sleep(POLL_MS)
  }
  // PostgreSQL accepts a pid file whose number is in use, by whatever program: a container's numbers repeat.
  // Where orphans cannot be seen, the file stays, as PostgreSQL finds them with what is in it.
  if (HAS_PROC) rmSync(join(pgdata, 'postmaster.pid'), { force: true })
  for (const name of [`.s.PGSQL.${PORT}`, `.s.PGSQL.${PORT}.lock`])
    rmSync(join(socketDir, name), { force: true })
}
