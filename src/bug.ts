import { errorLines, oneLine } from './error-lines.ts'
import { loggableError } from './store/loggable-error.ts'

/** The exit code of a process that a bug has ended (sysexits.h: EX_SOFTWARE). Documented in docs/cli.md. */
export const BUG_EXIT = 70

/**
 * From now on, an error that nothing has caught, also a rejection, ends the process with exit code 70. Node.js would print
 * all members of the error, and those of the database's driver quote rows of customers.
 * @param say logs or prints the error, before this returns
 * @returns ends the process in the same way
 */
export function endOnBugs(say: (error: unknown) => void): (error: unknown) => never {
  const end = (error: unknown): never => {
    try {
      say(error)
    } finally {
      process.exit(BUG_EXIT)
    }
  }
  for (const event of ['uncaughtException', 'unhandledRejection']) {
    process.removeAllListeners(event).on(event, end)
  }
  return end
}

/** For a person at a command. */
export function printBug(error: unknown): void {
  const loggable = loggableError(error)
  const code = loggable.code === undefined ? '' : ` (${oneLine(loggable.code)})`
  const problem = `farthing: A bug has ended this command${code}: report it with the lines below.`
  process.stderr.write(`${problem}\n${errorLines(loggable)}\n`)
}
