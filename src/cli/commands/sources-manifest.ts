import { Command } from 'commander'
import type { SourceOfHour } from '../../api/cycles.ts'
import { countOf, readableNumber, readableTime, safeText } from '../../core/present/readable-text.ts'
import { CommandFailed, EXIT } from '../terminal/command-failed.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { type ListOptions, printList, tableOf, withListOptions } from '../client/print-list.ts'
import { makeApi } from '../client/server-api.ts'
import { serverAddress, type ServerOptions, withServerOptions } from '../client/server-address.ts'
import { print, printJson } from '../terminal/terminal.ts'

interface ManifestOptions extends ServerOptions {
  readonly json?: true
}

/** `sources manifest`: say how much was sent. */
export function manifestCommand(): Command {
  const command = new Command('manifest')
    .summary('announce how many events of an hour a source has sent')
    .description(
      prose(`Says how many different events of an hour a source has sent, so that it is noticed when some are missing.
        Announced again with another number, the new one counts.`),
    )
    .argument('<source>', 'the source, as its events name it')
    .argument('<hour>', 'the hour of the usage, such as 2025-07-28T03Z')
    .argument('<events>', 'a whole number from 0')
    .option('--json', 'print {"source", "hour", "events"}')
  return withServerOptions(command)
    .addHelpText(
      'after',
      examples(['farthing sources manifest /gateway/3 2025-07-28T03Z 1200', 'it has sent 1,200 events']),
    )
    .action(announce)
}

async function announce(
  source: string,
  hour: string,
  count: string,
  options: ManifestOptions,
): Promise<void> {
  const events = Number(count)
  if (!/^\d+$/.test(count) || !Number.isSafeInteger(events)) {
    throw new CommandFailed(`The number of events is ${count}: write a whole number from 0.`, EXIT.usage)
  }
  const manifest = { json: { source, hour, events } }
  const view = await makeApi(serverAddress(options)).json('POST /v1/manifests', manifest)
  if (options.json) return printJson(view)
  print(
    `${safeText(view.source)} has announced ${countOf(count, 'event')} of ${readableTime(view.hour)} UTC.`,
  )
}

/** `sources arrived`: what was announced of an hour, and what came. */
export function sourcesOfHourCommand(): Command {
  const command = new Command('arrived')
    .summary('list what sources have announced of an hour, and what has arrived')
    .description(
      prose(`Lists the sources of an hour with what they have announced and what is stored of it until now, late usage
        included: as much, less (missing), or more (surplus).`),
    )
    .argument('<hour>', 'the hour of the usage, such as 2025-07-28T03Z')
  return withListOptions(command, 'source')
    .addHelpText('after', examples(['farthing sources arrived 2025-07-28T03Z', 'is this hour complete?']))
    .action((hour: string, options: ListOptions) =>
      printList(
        options,
        'GET /v1/cycles/:hour/sources',
        { params: { hour } },
        tableOf(COLUMNS, rowOf, 'No usage, and nothing announced.'),
      ),
    )
}

const COLUMNS = [
  { heading: 'Source', align: 'left', shrinks: true },
  { heading: 'State', align: 'left' },
  { heading: 'Announced', align: 'right' },
  { heading: 'Arrived', align: 'right' },
  { heading: 'Late', align: 'right' },
  { heading: 'Difference', align: 'right' },
] as const

function rowOf({ source, state, announced, arrived, late, difference }: SourceOfHour) {
  const numbers = [announced, arrived, late].map((count) =>
    count === null ? '' : readableNumber(String(count)),
  )
  return { cells: [safeText(source), state, ...numbers, differenceOf(difference)] }
}

/** `+3`, `-12`, `0`. */
function differenceOf(difference: number | null): string {
  if (difference === null) return ''
  const size = readableNumber(String(Math.abs(difference)))
  return difference === 0 ? '0' : `${difference > 0 ? '+' : '-'}${size}`
}
