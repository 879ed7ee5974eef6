import { Command } from 'commander'
import type { AuditEntry } from '../../api/audit.ts'
import { readableTime, safeText } from '../../core/present/readable-text.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { type ListOptions, printList, tableOf, withListOptions } from '../client/print-list.ts'
import { withRange } from '../terminal/time-option.ts'

interface AuditOptions extends ListOptions {
  readonly act?: string
  readonly actor?: string
  readonly account?: string
  readonly from?: string
  readonly to?: string
}

/** `audit`: who has done what. */
export function auditCommand(): Command {
  const command = new Command('audit')
    .summary('list what people and keys have done')
    .description(
      prose(`Lists what people and keys have done that changes bills, or who may do what, newest first. It was done by a
        key, named by its id, or by a command on the server's machine, named by cli: and the user.`),
    )
    .option('--act <act>', 'only this act, such as key/make')
    .option('--actor <actor>', 'only what this key or user has done')
    .option('--account <account>', 'only what concerns this account alone')
  const ranged = withRange(command, {
    from: 'only what was done then or later',
    to: 'only what was done before then',
  })
  return withListOptions(ranged, 'entry')
    .addHelpText(
      'after',
      examples(
        ['farthing audit --limit 20', 'what was done lately?'],
        ['farthing audit --act account/put --account acme', 'who has changed acme, and what?'],
      ),
    )
    .action(({ act, actor, account, from, to, ...options }: AuditOptions) => {
      const query = { act, actor, account, from, to }
      return printList(options, 'GET /v1/audit-log', { query }, tableOf(COLUMNS, rowOf, 'Nothing was done.'))
    })
}

const COLUMNS = [
  { heading: 'Done, UTC', align: 'left' },
  { heading: 'By', align: 'left' },
  { heading: 'Act', align: 'left' },
  { heading: 'Account', align: 'left', shrinks: true },
  { heading: 'What', align: 'left', wraps: true },
] as const

function rowOf({ at, actor, act, account, detail }: AuditEntry) {
  return { cells: [readableTime(at), ...[actor, act, account ?? '', detail].map(safeText)] }
}
