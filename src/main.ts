import { endOnBugs, printBug } from './bug.ts'
import { runCommand } from './cli/run-command.ts'
import { readSettings } from './config.ts'

/**
 * The command line's entry: runs one command, and sets the exit code of the process.
 * @param argv without the program's own name
 */
export async function main(argv: readonly string[]): Promise<void> {
  const end = endOnBugs(printBug)
  try {
    process.exitCode = await runCommand(argv, {
      readSettings: () => readSettings(process.env, process.cwd()),
      serve: async (env) => {
        // Loaded when it is needed: most commands only ask a server.
        const { serveCommand } = await import('./serve-command.ts')
        return serveCommand(env)
      },
    })
  } catch (error) {
    // Of a process that may open no further file: bin/farthing says what to do.
    if (['EMFILE', 'ENFILE'].includes((error as NodeJS.ErrnoException | null)?.code ?? '')) throw error
    end(error)
  }
}
