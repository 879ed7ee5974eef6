/** What Node has and browsers do not, reached without an import, so that the main entry runs in both. */
interface Node {
  readonly process?: {
    readonly on?: (event: 'beforeExit', listener: () => void) => void
    readonly off?: (event: 'beforeExit', listener: () => void) => void
  }
}

/** A timer that keeps no process alive. @returns what clears it */
export function quietTimer(work: () => void, ms: number): () => void {
  const timer = setTimeout(work, ms)
  ;(timer as unknown as { unref?: () => void }).unref?.()
  return () => clearTimeout(timer)
}

const HOLD_MS = 60_000

/** Keeps the process alive while something is awaited that only quiet timers drive. @returns what ends that */
export function holdProcess(): () => void {
  const timer = setInterval(() => {}, HOLD_MS)
  return () => clearInterval(timer)
}

/** When Node has nothing left to do. @returns what undoes it */
export function beforeExit(work: () => void): () => void {
  const { process } = globalThis as Node
  process?.on?.('beforeExit', work)
  return () => process?.off?.('beforeExit', work)
}

/** A name that no other run of any process has: 128 bits of chance. */
export function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
