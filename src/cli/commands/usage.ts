import { printableJson } from '../../core/text/printable-json.ts'
import { Command, Option } from 'commander'
import type { UsageRow } from '../../api/usage.ts'
import { decimal, plain, sum } from '../../core/money/decimal.ts'
import { readableNumber, readableTime, safeText } from '../../core/present/readable-text.ts'
import { type Column, textTable, type TextLine } from '../../core/present/text-table.ts'
import { formatHourStart, hourOf, next } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import { serverAddress, type ServerOptions, withServerOptions } from '../client/server-address.ts'
import { makeApi } from '../client/server-api.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { printLines, tableWidth } from '../terminal/terminal.ts'
import { withRange } from '../terminal/time-option.ts'

const WINDOWS = ['hour', 'day', 'month'] as const

interface UsageOptions extends ServerOptions {
  readonly account?: string
  readonly from?: string
  readonly to?: string
  readonly window: (typeof WINDOWS)[number]
  readonly groupBy?: string
  readonly json?: true
}

/** `usage`: what was used, billed yet or not. */
export function usageCommand(): Command {
  const command = new Command('usage')
    .summary('sum up usage until now, billed yet or not')
    .description(
      prose(`Sums up usage by the hour in which it happened, until now: this month by account, unless the options say
        otherwise. The sums hold usage that is on no bill yet.`),
    )
    .option('--account <account>', 'only usage of this account')
  return withServerOptions(
    withRange(command, 'hours')
      .addOption(
        new Option('--window <window>', 'one row for each of these, of UTC')
          .choices(WINDOWS)
          .default('month'),
      )
      .option(
        '--group-by <names>',
        'account, component, item, operation, project, region, with commas between them (default: account)',
      )
      .option('--json', 'print each row as the API has it, one a line (NDJSON)'),
  )
    .addHelpText(
      'after',
      examples(
        ['farthing usage', 'what has each account used this month?'],
        ['farthing usage --account acme --window day --group-by item', 'what does acme use each day?'],
      ),
    )
    .action(usage)
}

async function usage(options: UsageOptions): Promise<void> {
  const { account, window, groupBy = 'account', json, from, to, ...server } = options
  const now = new Date()
  const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth())).toISOString()
  const end = formatHourStart(next(hourOf(now.getTime() as Instant)))
  const query = { account, from: from ?? month, to: to ?? end, window, groupBy: [groupBy] }
  const api = makeApi(serverAddress(server))
  if (json) {
    for await (const row of api.list('GET /v1/usage', { query })) {
      process.stdout.write(`${printableJson(row)}\n`)
    }
    return
  }
  const rows: UsageRow[] = []
  let currency = ''
  for (let cursor: string | undefined; ;) {
    const page = await api.json('GET /v1/usage', { query: { ...query, limit: 1000, cursor } })
    rows.push(...page.items)
    currency = page.currency
    if (page.next === null) break
    cursor = page.next
  }
  printLines(usageTable(rows, currency))
}

const GROUPS = ['account', 'component', 'item', 'operation', 'project', 'region'] as const

function usageTable(rows: readonly UsageRow[], currency: string): readonly TextLine[] {
  if (rows.length === 0) return [{ role: 'plain', text: 'No usage.' }]
  const groups = GROUPS.filter((group) => rows.some((row) => row[group] !== undefined))
  const columns: readonly Column[] = [
    { heading: 'From, UTC', align: 'left' },
    { heading: 'To, UTC', align: 'left', drops: 2 },
    ...groups.map((group): Column => ({ heading: titleOf(group), align: 'left', shrinks: true })),
    { heading: 'Quantity', align: 'decimal' },
    { heading: 'Unit', align: 'left' },
    { heading: 'Not billed', align: 'decimal', drops: 1 },
    { heading: `Amount ${currency}`, align: 'decimal' },
  ]
  const cells = rows.flatMap((row) =>
    row.quantities.map((used) => ({
      cells: [
        readableTime(row.from),
        readableTime(row.to),
        ...groups.map((group) => safeText(row[group] ?? '')),
        readableNumber(used.quantity),
        safeText(used.unit),
        readableNumber(used.waived),
        readableNumber(used.amount),
      ],
    })),
  )
  const total = plain(sum(rows.map(({ amount }) => decimal(amount))))
  const blanks = Array.from({ length: columns.length - 2 }, () => '')
  const last = { role: 'total', cells: ['Total', ...blanks, readableNumber(total)] } as const
  return textTable(columns, [...cells, last], tableWidth())
}

function titleOf(group: string): string {
  return group[0]!.toUpperCase() + group.slice(1)
}
