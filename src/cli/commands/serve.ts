import { Command } from 'commander'
import type { ExitCode, SetExitCode } from '../terminal/command-failed.ts'
import { examples, prose } from '../terminal/help-text.ts'

/** Runs the server until a signal; settings come from the environment. @returns the exit code */
export type Serve = (env: NodeJS.ProcessEnv) => Promise<number>

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
  PORT, HOST                  where to listen (8080, 127.0.0.1)
  FARTHING_DATA_DIR           where its data is (.farthing)
  DATABASE_URL                a PostgreSQL of yours, 15 or newer
  FARTHING_PRICE_BOOK         the price book of a first start; without it the reference, as a demo
  FARTHING_GRACE              wait for late usage before an hour is sealed (10m)
  FARTHING_HISTORY_QUIET      wait for more usage of past hours before they are sealed (30s)
  FARTHING_IDENTITY_WINDOW    how far apart copies of an event are found (62d)
  FARTHING_ACCOUNTS           whose usage is taken: any account's, or that of known ones (any)
${examples(
  ['farthing serve', 'on this machine, for this machine'],
  ['HOST=0.0.0.0 PORT=80 farthing serve', 'for others too'],
)}`,
    )
    .action(async () => setExitCode((await serve(process.env)) as ExitCode))
}
