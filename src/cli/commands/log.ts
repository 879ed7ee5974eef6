import { Command } from 'commander'
import { countOf, safeText } from '../../core/present/readable-text.ts'
import { makeApi } from '../client/server-api.ts'
import { serverAddress, type ServerOptions, withServerOptions } from '../client/server-address.ts'
import type { ReadOwnSettings } from '../own-database.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { print, printJson } from '../terminal/terminal.ts'
import type { ContinueOptions } from './log-continue.ts'

/** `log`: the transparency log. */
export function logCommand(readSettings: ReadOwnSettings): Command {
  return new Command('log')
    .summary('the transparency log of all bills: keep its checkpoint, or continue it')
    .description('All that is issued has an entry in the log, which cannot be rewritten unnoticed.')
    .addCommand(showCommand())
    .addCommand(continueCommand(readSettings))
}

interface ShowOptions extends ServerOptions {
  readonly json?: true
}

function showCommand(): Command {
  const command = new Command('show')
    .summary('print the newest checkpoint of the log, and its keys')
    .description(
      prose(`Prints the name of the log, its public keys and its newest signed checkpoint. Keep the output of --json: it
        shows later whether anything was changed.`),
    )
    .option('--json', 'print the log as the API has it')
  return withServerOptions(command)
    .addHelpText('after', examples(['farthing log show --json > kept.json', 'keep the log as it is now']))
    .action(show)
}

async function show({ json, ...options }: ShowOptions): Promise<void> {
  const log = await makeApi(serverAddress(options)).json('GET /v1/log')
  if (json) return printJson(log)
  if (log.origin === null) return print('Nothing is in the log yet.')
  print(`Log ${safeText(log.origin)}, ${countOf(log.size, 'entry')}.`)
  for (const key of log.keys) print(`Key ${safeText(key)}`)
  if (log.continues)
    print(`It continues ${safeText(log.continues.origin)}: ${safeText(log.continues.reason)}.`)
  if (log.checkpoint !== null) process.stdout.write(`\n${log.checkpoint}`)
  if (!log.signed) print('It is not signed: set FARTHING_SIGNING_KEY at the server.')
}

function continueCommand(readSettings: ReadOwnSettings): Command {
  return new Command('continue')
    .summary('continue the log under another name, after its database was restored')
    .description(
      prose(`Begins the next tree of a log that does not extend what its key has signed last, as after a restore that
        farthing restore did not do. Everybody who has kept a checkpoint sees the break and the reason. It is refused
        when the log goes on as it should.`),
    )
    .requiredOption('--reason <text>', 'why: everybody who checks a bill can read it')
    .option('--json', 'print {"origin", "before"}')
    .addHelpText(
      'after',
      examples([
        'farthing log continue --reason "disk lost, restored from the replica"',
        'after /readyz says that the log is not signed',
      ]),
    )
    .action(async (options: ContinueOptions) => {
      // Loaded when it is needed: most commands have nothing to do with the database.
      const { continueBroken } = await import('./log-continue.ts')
      await continueBroken(options, readSettings)
    })
}
