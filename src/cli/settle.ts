import { Command } from 'commander'
import { countOf } from '../core/present/readable-text.ts'
import { formatHour } from '../core/time/hour.ts'
import { settleNow } from '../flows/settle-now.ts'
import { CommandFailed, EXIT } from './command-failed.ts'
import { stopOnCtrlC } from './ctrl-c.ts'
import { examples, prose } from './help-text.ts'
import { type ReadOwnSettings, withDatabase } from './own-database.ts'
import { showProgress } from './progress.ts'
import { printJson } from './terminal.ts'

interface SettleOptions {
  readonly now?: true
  readonly json?: true
}

/** `settle`: issue all bills that are due. */
export function settleCommand(readSettings: ReadOwnSettings): Command {
  return new Command('settle')
    .summary('issue all bills that are due, as the server does by itself')
    .description(
      prose(`Seals and settles every hour that is due, in the database itself, beside a running server or without
        one. Hours that last still keep their grace. Running it twice, or at once with the server, changes nothing.`),
    )
    .option('--now', 'do not wait until past hours that got usage were quiet for a while')
    .option('--json', 'print {"hours"}')
    .addHelpText('after', examples(['farthing settle --now', 'bill all that was imported']))
    .action((options: SettleOptions) => settle(options, readSettings))
}

async function settle({ now, json }: SettleOptions, readSettings: ReadOwnSettings): Promise<void> {
  const stop = stopOnCtrlC()
  let [hours, text] = [0, 'looking for hours that are due']
  const shown = showProgress(() => ({ share: undefined, text }))
  try {
    hours = await withDatabase(readSettings, (pool, { graceMs, historyQuietMs, identityWindowMs }) =>
      settleNow({
        pool,
        graceMs,
        identityWindowMs,
        historyQuietMs: now ? undefined : historyQuietMs,
        stopping: () => stop.signal.aborted,
        onSettled: ({ hour }) => (text = `settled ${formatHour(hour)}`),
      }),
    )
  } finally {
    shown.end()
    stop.done()
  }
  if (stop.signal.aborted) {
    throw new CommandFailed(
      'Stopped. What was settled stays; the server goes on with the rest.',
      EXIT.interrupted,
    )
  }
  if (json) return printJson({ hours })
  process.stdout.write(hours === 0 ? 'Nothing is due.\n' : `Settled ${countOf(String(hours), 'hour')}.\n`)
}
