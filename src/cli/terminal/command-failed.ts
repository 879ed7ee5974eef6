/** What the exit code of a command says. Documented in docs/cli.md; never renumbered. */
export const EXIT = {
  ok: 0,
  /** It could not be done, or what was checked is wrong. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** Done, but some events were rejected or conflicting. */
  someRefused: 3,
  /** Settled, but accounts are set aside. */
  setAside: 4,
  /** Verified against a checkpoint of a log that was continued since. */
  logContinued: 5,
  /** Ctrl-C. */
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Told by a command that has done its work, but not all was well. */
export type SetExitCode = (code: ExitCode) => void

/** Ends a command with one line for the person who can fix it. Everything else that is thrown is a bug. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed'
  readonly exitCode: ExitCode

  /** @param message what is wrong, then what to do */
  constructor(message: string, exitCode: ExitCode = EXIT.failed) {
    super(message)
    this.exitCode = exitCode
  }
}

/** The reason of a system error, short: `no such file or directory`. */
export function systemReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const match = /^[A-Z0-9_]+: ([^,]+)/.exec(error.message)
  return match?.[1] ?? error.message
}
