import { createInterface } from 'node:readline/promises'
import { Command } from 'commander'
import { agree, countOf } from '../../core/present/readable-text.ts'
import { type ShownSummary, voidSummaryLines } from '../../core/present/void-summary-lines.ts'
import { CommandFailed, EXIT, type SetExitCode } from '../terminal/command-failed.ts'
import { stopOnCtrlC } from '../terminal/ctrl-c.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { makeApi, type ServerApi } from '../client/server-api.ts'
import { serverAddress, type ServerOptions, withServerOptions } from '../client/server-address.ts'
import { complain, print, printJson, printLines } from '../terminal/terminal.ts'
import { withRange } from '../terminal/time-option.ts'
import { sendVoidOrder, type VoidOrderBody } from './void-order.ts'

interface VoidOptions extends ServerOptions, Omit<VoidOrderBody, 'id' | 'status'> {
  readonly status?: string
  readonly yes?: true
  readonly dryRun?: true
  readonly json?: true
}

/** `voids create`, or for short `void`: void usage. */
export function voidCommand(name: 'create' | 'void', setExitCode: SetExitCode): Command {
  const command = new Command(name)
    .summary('void usage: one event, or a range')
    .description(
      prose(`Voids usage that should not have been sent. The command first prints how many events it would void and
        how much they cost, and asks for confirmation. The open hour gives back what was billed, at its own price.
        Usage that has no bill yet is never billed. Farthing keeps the events, and their ids stay in use.`),
    )
    .argument('[event]', 'its id: every event of it, under whatever time. Or leave it out, and name a range')
    .requiredOption('--account <account>', 'whose usage')
    .requiredOption('--reason <text>', 'why: one line, kept with every event')
    .option('--source <source>', 'only events of this source')
    .option('--type <type>', 'of a range, only events of this type')
    .option('--operation <operation>', 'of a range, only usage of this operation')
    .option('--project <project>', 'of a range, only usage of this project')
    .option('--status <status>', 'of a range, only requests that were answered so')
    .option('--dry-run', 'say what it would come to, and change nothing')
    .option('--yes', 'do not ask')
    .option('--json', 'print {"account", "dryRun", "events", "voided", …} of the whole order')
  const ranged = withRange(command, {
    from: 'usage of then or later',
    to: 'usage before then; at most 62 days later',
  })
  return withServerOptions(ranged)
    .addHelpText(
      'after',
      examples(
        [
          'farthing voids create --account acme call-17 --reason "sent by a test"',
          'one event, and duplicates of it',
        ],
        [
          'farthing voids create --account acme --from 2025-07-28T03Z --to 2025-07-28T05Z --reason "metered twice"',
          'all of two hours',
        ],
      ),
    )
    .action((id: string | undefined, options: VoidOptions) => takeBack(id, options, setExitCode))
}

async function takeBack(
  id: string | undefined,
  options: VoidOptions,
  setExitCode: SetExitCode,
): Promise<void> {
  const { yes = false, dryRun = false, json = false } = options
  const api = makeApi(serverAddress(options))
  const body = orderOf(id, options)
  if (!yes) {
    const would = await send(api, body, true)
    show(would, json && (dryRun || !canAsk()))
    if (dryRun || would.voided === 0) return
    if (!canAsk()) {
      complain('Nothing was changed: add --yes to void them.', 'yellow')
      setExitCode(EXIT.usage)
      return
    }
    if (!(await isWanted(would.voided))) {
      print('Nothing was changed.')
      return
    }
  }
  show(await send(api, body, false), json)
}

function orderOf(id: string | undefined, options: VoidOptions): VoidOrderBody {
  const { account, reason, from, to, source, type, operation, project, status } = options
  if (id === undefined && (from === undefined || to === undefined)) {
    throw new CommandFailed(
      'It is not clear which usage: name an event, or both --from and --to.',
      EXIT.usage,
    )
  }
  if (status !== undefined && !/^[1-5]\d\d$/.test(status)) {
    throw new CommandFailed(`--status is ${status}: write one of 100 to 599.`, EXIT.usage)
  }
  const number = status === undefined ? undefined : Number(status)
  return { account, reason, id, from, to, source, type, operation, project, status: number }
}

async function send(api: ServerApi, body: VoidOrderBody, dryRun: boolean): Promise<ShownSummary> {
  const { signal, done } = stopOnCtrlC()
  try {
    const { result, isWhole } = await sendVoidOrder(api, body, { dryRun, signal })
    if (isWhole) return result
    if (!dryRun)
      complain(`Stopped after ${countOf(result.voided, 'event')}: run it again to void the others.`, 'yellow')
    throw new CommandFailed('Stopped.', EXIT.interrupted)
  } finally {
    done()
  }
}

function show(result: ShownSummary, asJson: boolean): void {
  if (asJson) printJson(result)
  else printLines(voidSummaryLines(result))
}

function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY
}

async function isWanted(events: number): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await terminal.question(`Void ${agree(events, 'it', 'them')}? [y/N] `)
    return /^y(?:es)?$/i.test(answer.trim())
  } finally {
    terminal.close()
  }
}
