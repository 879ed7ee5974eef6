import { Command } from 'commander'
import type { SilentSource } from '../../api/sources.ts'
import { readableTime, safeText } from '../../core/present/readable-text.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { type ListOptions, printList, tableOf, withListOptions } from '../client/print-list.ts'
import { makeApi } from '../client/server-api.ts'
import { serverAddress, type ServerOptions, withServerOptions } from '../client/server-address.ts'
import { print, printJson } from '../terminal/terminal.ts'

/** `sources silent`: who usually reports, and does not. */
export function silentSourcesCommand(): Command {
  const command = new Command('silent')
    .summary('list sources that usually report, and have sent nothing')
    .description(
      prose(`Lists sources that are silent: they reported in at least 20 of the 24 hours before, the same hour of the
        day before among them, or in this hour on at least 6 of the 7 days before; and have sent nothing for an hour
        that was sealed. Perhaps nothing was used; perhaps its metering is down.`),
    )
  return withListOptions(command, 'source')
    .addHelpText('after', examples(['farthing sources silent', 'is metering down anywhere?']))
    .action((options: ListOptions) =>
      printList(options, 'GET /v1/sources/silent', {}, tableOf(COLUMNS, rowOf, 'No source is silent.')),
    )
}

const COLUMNS = [
  { heading: 'Source', align: 'left', shrinks: true },
  { heading: 'Last hour, UTC', align: 'left' },
  { heading: 'Silent since, UTC', align: 'left' },
  { heading: 'Acknowledged by', align: 'left' },
] as const

function rowOf({ source, lastHour, silentSince, acknowledgedBy }: SilentSource) {
  return {
    cells: [safeText(source), readableTime(lastHour), readableTime(silentSince), acknowledgedBy ?? ''],
  }
}

interface AcknowledgeOptions extends ServerOptions {
  readonly json?: true
}

/** `sources acknowledge`: this silence is right. */
export function acknowledgeCommand(): Command {
  const command = new Command('acknowledge')
    .summary('say that a source is silent with good reason')
    .description(
      prose(`Says that a silent source has been stopped on purpose: it is no warning any more. When it reports again, it
        is watched again.`),
    )
    .argument('<source>', 'the source, as its events name it')
    .option('--json', 'print {"source"}')
  return withServerOptions(command)
    .addHelpText('after', examples(['farthing sources acknowledge /gateway/3', 'it was switched off']))
    .action(async (source: string, options: AcknowledgeOptions) => {
      const api = makeApi(serverAddress(options))
      const answer = await api.json('POST /v1/sources/silent/acknowledge', { json: { source } })
      if (options.json) printJson(answer)
      else print(`${safeText(source)} is no warning any more.`, 'green')
    })
}
