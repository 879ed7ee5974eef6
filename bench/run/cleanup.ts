import { say } from '../../src/cli/terminal.ts'

/** What a run has started or made, to be ended in the opposite order. */
export interface Cleanup {
  add(end: () => unknown): void
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const EXIT_CODE_SIGNAL = 130

/** Do some work, and whatever becomes of it (also on Ctrl-C), end what it has started. */
export async function withCleanup<Result>(work: (cleanup: Cleanup) => Promise<Result>): Promise<Result> {
  const ends: (() => unknown)[] = []
  let ended: Promise<void> | undefined
  const endAll = () => (ended ??= endInOrder(ends))
  const onSignal = () => {
    if (!ended) say('bench: stopping; temporary data is deleted', 'yellow')
    void endAll().finally(() => process.exit(EXIT_CODE_SIGNAL))
  }
  for (const signal of SIGNALS) process.on(signal, onSignal)
  try {
    return await work({ add: (end) => void ends.push(end) })
  } finally {
    await endAll()
    for (const signal of SIGNALS) process.off(signal, onSignal)
  }
}

/** One that fails does not keep the others from ending. */
async function endInOrder(ends: readonly (() => unknown)[]): Promise<void> {
  for (const end of [...ends].reverse()) {
    await Promise.resolve()
      .then(end)
      .catch((error: unknown) => say(`bench: ${String(error)}`, 'yellow'))
  }
}
