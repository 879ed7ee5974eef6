import { Command } from 'commander'
import { VARIABLES } from '../../flows/start/environment.ts'
import type { ExitCode, SetExitCode } from '../terminal/command-failed.ts'
import { examples, prose } from '../terminal/help-text.ts'

/** Runs the server until a signal; settings come from the environment. @returns the exit code */
export type Serve = (env: NodeJS.ProcessEnv) => Promise<number>

const SETTINGS = VARIABLES.filter(({ of }) => of !== 'client')
  .map(({ name, says, fallback }) => `  ${name.padEnd(26)}${says}${fallback && ` (${fallback})`}`)
  .join('\n')

/** `serve`: the server itself, which is put together elsewhere. */
export function serveCommand(serve: Serve, setExitCode: SetExitCode): Command {
  return new Command('serve')
    .summary('run the server')
    .description(
      prose(`Runs the server until Ctrl-C: it takes usage, settles each hour into bills, and answers. It starts a
        PostgreSQL of its own unless DATABASE_URL names one.`),
    )
    .addHelpText(
      'after',
      `
Settings (environment):
${SETTINGS}
An empty variable counts as unset. Any other variable that begins with
FARTHING_ is refused.
${examples(
  ['farthing serve', 'on this machine, for this machine'],
  ['HOST=0.0.0.0 PORT=80 farthing serve', 'for others too'],
)}`,
    )
    .action(async () => setExitCode((await serve(process.env)) as ExitCode))
}
