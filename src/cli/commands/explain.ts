import { Command } from 'commander'
import { parseBillId } from '../../core/bill/bill-id.ts'
import { CommandFailed, EXIT } from '../terminal/command-failed.ts'
import { explainEvent } from './explain-event.ts'
import { explainLine } from './explain-line.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { makeApi } from '../client/server-api.ts'
import { serverAddress, type ServerOptions, withServerOptions } from '../client/server-address.ts'

interface ExplainOptions extends ServerOptions {
  readonly account?: string
  readonly source?: string
  readonly events: string
  readonly json?: true
}

/** `explain`: why a line is on a bill, or what became of an event. */
export function explainCommand(): Command {
  const command = new Command('explain')
    .summary('explain a line of a bill, or what became of an event')
    .usage('[options] <bill> <line>\n       farthing explain --account <account> [options] <event>')
    .description(
      prose(`With a bill and a line: the rule that made it billable, the price and since when it holds, how the
        amount came about, and the first events behind it. With the id of an event: what became of it, step by
        step. Times are UTC.`),
    )
    .argument('<id>', 'the id of a bill; or of an event')
    .argument('[line]', 'the number of the line, as `farthing bill` shows it')
    .option('--account <account>', 'whose event')
    .option('--source <source>', 'only the event of this source')
    .option('--events <number>', 'show at most so many events behind the line', '10')
    .option(
      '--json',
      'print {"line", "price", "publicPrice", "discount", "events"}; or, of an event, the answer of the API',
    )
  return withServerOptions(command)
    .addHelpText(
      'after',
      examples(
        ['farthing explain 2025-07-28T03Z.acme 2', 'why is the second line on this bill?'],
        ['farthing explain --account acme call-17', 'what became of this event?'],
      ),
    )
    .action(explain)
}

function explain(id: string, line: string | undefined, options: ExplainOptions): Promise<void> {
  const { account, source, events, json = false } = options
  if (line !== undefined && account === undefined) {
    const limit = readNumber(events, '--events')
    return explainLine(makeApi(serverAddress(options)), id, readNumber(line, 'The line'), { limit, json })
  }
  if (line !== undefined) {
    throw new CommandFailed('A line belongs to a bill: leave --account out.', EXIT.usage)
  }
  if (account === undefined && parseBillId(id)) {
    throw new CommandFailed(`${id} is a bill: name one of its lines too, such as ${id} 1.`, EXIT.usage)
  }
  return explainEvent(makeApi(serverAddress(options)), { account, source, id }, json)
}

function readNumber(text: string, name: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new CommandFailed(`${name} is ${text}: write a whole number from 1.`, EXIT.usage)
}
