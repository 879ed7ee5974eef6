import { CommanderError } from 'commander'
import { CommandFailed, EXIT, type ExitCode } from './terminal/command-failed.ts'
import { makeProgram, type Surroundings } from './program.ts'
import { complain } from './terminal/terminal.ts'

/**
 * Run one command.
 * @returns the exit code; output may still be on its way, so let the process end by itself
 */
export async function runCommand(argv: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  endQuietly()
  let exitCode: ExitCode = EXIT.ok
  const program = makeProgram(surroundings, (code) => (exitCode = code))
  try {
    await program.parseAsync(argv, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    if (!(error instanceof CommandFailed)) throw error
    complain(`farthing: ${error.message}`, 'red')
    return error.exitCode
  }
}

/**
 * `farthing bills | head` has all it wants when head ends: nothing is wrong then. Ctrl-C ends with the code
 * that shells expect, unless a command stops in its own way.
 */
function endQuietly(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      process.exit()
    })
  }
}
