import { setTimeout as sleep } from 'node:timers/promises'
import { remark } from '../../src/cli/terminal/terminal.ts'

/** What a run has started or made, to be ended in the opposite order. */
export interface Cleanup {
  add(end: () => unknown): void
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const EXIT_CODE_SIGNAL = 130
const SIGNAL_DELAY_MS = 20

/** Do some work, and whatever becomes of it (also on Ctrl-C), end what it has started. */
export async function withCleanup<Result>(work: (cleanup: Cleanup) => Promise<Result>): Promise<Result> {
  const ends: (() => unknown)[] = []
  let ended: Promise<void> | undefined
  const endAll = () => (ended ??= endInOrder(ends))
  let signalled = false
  const onSignal = () => {
    if (!signalled) remark('bench: stopping; temporary data is deleted', 'yellow')
    signalled = true
    void endAll().finally(() => process.exit(EXIT_CODE_SIGNAL))
  }
  for (const signal of SIGNALS) process.on(signal, onSignal)
  try {
    return await work({ add: (end) => void ends.push(end) })
  } finally {
    await endAll()
    // What fails because of a signal, which may not have been delivered yet, is no news: its handler has the word.
    await sleep(SIGNAL_DELAY_MS)
    if (signalled) await new Promise(() => {})
    for (const signal of SIGNALS) process.off(signal, onSignal)
  }
}

/** One that fails does not keep the others from ending. */
async function endInOrder(ends: readonly (() => unknown)[]): Promise<void> {
  for (const end of [...ends].reverse()) {
    await Promise.resolve()
      .then(end)
      .catch((error: unknown) => remark(`bench: ${String(error)}`, 'yellow'))
  }
}
