import type { Hour } from '../../src/core/time/hour.ts'
import { type Child, startChild } from '../run/child.ts'
import type { Cleanup } from '../run/cleanup.ts'
import type { ScratchServer } from '../run/scratch-server.ts'
import type { Settled, SettleTask } from './settle-process.ts'

/** Processes that settle on one database. */
export interface Settlers {
  /** Have some of them settle at once, until all is done. Fails unless exactly these hours were settled. */
  settle(task: SettleTask & { readonly hours?: number; readonly processes?: number }): Promise<Settled>
  /** Have one make the bills of an hour again. */
  verify(hour: Hour): Promise<Settled>
}

export async function startSettlers(
  { connection }: ScratchServer,
  count: number,
  cleanup: Cleanup,
  cpuProf?: string,
): Promise<Settlers> {
  const children: Child[] = []
  for (let index = 0; index < count; index++) {
    const child = startChild(new URL('./settle-process.js', import.meta.url), cleanup, cpuProf)
    await child.ask('connect', { connection })
    children.push(child)
  }
  return {
    async settle({ hours = 1, processes = 1, ...task }) {
      const all = await Promise.all(
        children.slice(0, processes).map((child) => child.ask<Settled>('settle', task)),
      )
      const most = (name: keyof Settled) => Math.max(...all.map((one) => one[name]))
      if (most('hours') !== hours) throw new Error(`settled ${most('hours')} hours instead of ${hours}`)
      const cpuSeconds = all.reduce((sum, one) => sum + one.cpuSeconds, 0)
      return { hours, seconds: most('seconds'), cpuSeconds, rssMib: most('rssMib') }
    },
    verify: (hour) => children[0]!.ask<Settled>('verify', { hour }),
  }
}
