import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from './log.ts'
import { startOf } from './process-identity.ts'
import type { Refused } from './refusal.ts'

const LOOK_EVERY_MS = 250
const RETRY_MS_MAX = 30_000
/** A system that shuts down ends both at once: then we are about to be ended too, and start nothing. */
const SHUTDOWN_MS = 500

/** A server that is started again whenever it ends, until `end`. */
export interface Watch {
  /** Of PostgreSQL's first process, as it is now. */
  pid(): number
  /** Stop looking. Resolves when no restart is in progress any more. */
  end(): Promise<void>
}

/**
 * Start the server again whenever it ends by itself (killed for want of memory, say): the pools connect again at
 * the same socket, and only what was in progress fails. Every process that uses the server looks; anyone who has the
 * first turn starts it.
 * @param again brings the server up, in turn; undefined when its turn did not come
 */
export function keepUp(
  firstPid: number,
  log: Log,
  again: () => Promise<{ readonly ok: true; readonly pid: number } | Refused | undefined>,
): Watch {
  const ending = new AbortController()
  let pid = firstPid
  const restart = async () => {
    await pause(SHUTDOWN_MS, ending.signal)
    if (ending.signal.aborted) return
    log.error({ serverPid: pid }, 'PostgreSQL has ended by itself and is started again')
    for (let wait = 1_000; !ending.signal.aborted; wait = Math.min(wait * 2, RETRY_MS_MAX)) {
      const running = await again()
      if (running?.ok) {
        pid = running.pid
        return
      }
      if (running) log.error({ code: running.code }, running.detail)
      await pause(wait, ending.signal)
    }
  }
  const watching = (async () => {
    while (!ending.signal.aborted) {
      if (startOf(pid) === undefined) await restart()
      await pause(LOOK_EVERY_MS, ending.signal)
    }
  })()
  return {
    pid: () => pid,
    end() {
      ending.abort()
      return watching
    },
  }
}

/** Does not keep the process alive, and ends early when `signal` says so. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { ref: false, signal }).catch(() => {})
}
