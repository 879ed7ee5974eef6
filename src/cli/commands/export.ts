import { writeFileSync } from 'node:fs'
import { Command, Option } from 'commander'
import { FOCUS_VERSIONS, focusCharges, type FocusVersion } from '../../core/export/focus-columns.ts'
import {
  JOURNAL_FORMATS,
  JOURNAL_SIDES,
  type JournalFormat,
  type JournalSide,
} from '../../core/export/journal.ts'
import { LINES_TABLE } from '../../core/export/lines-table.ts'
import { exportMetadata } from '../../core/export/metadata.ts'
import { countOf } from '../../core/present/readable-text.ts'
import { formatMonth, type Month, parseMonth } from '../../core/time/zone-month.ts'
import { EXPORT_FORMATS, type ExportFormat } from '../../flows/read/encode-rows.ts'
import { makeApi } from '../client/server-api.ts'
import { serverAddress, type ServerOptions, withServerOptions } from '../client/server-address.ts'
import { journalEncoder, tableEncoder } from '../export/file-encoder.ts'
import { writeExport } from '../export/write-export.ts'
import { CommandFailed, EXIT } from '../terminal/command-failed.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { print } from '../terminal/terminal.ts'

interface ExportOptions extends ServerOptions {
  readonly from?: string
  readonly to?: string
  readonly month?: string
  readonly account?: string
}

interface FileOptions extends ExportOptions {
  readonly format?: ExportFormat
  readonly focusVersion: FocusVersion
}

interface JournalOptions extends ExportOptions {
  readonly format: JournalFormat
  readonly side: JournalSide
}

/** `export`: charges, lines and journals as files. @param version of Farthing, for the metadata */
export function exportCommand(version: string): Command {
  return new Command('export')
    .summary('write charges, lines or a journal to a file')
    .description('Writes what was billed to a file: for FinOps tools, a warehouse, or bookkeeping.')
    .addCommand(focusCommand(version))
    .addCommand(linesCommand(version))
    .addCommand(journalCommand())
}

const CONTINUED = `The file gets its name when it is whole; until then it is FILE.part. A command that was interrupted
  is continued by the same command, and the bytes are the same.`

function focusCommand(version: string): Command {
  const command = new Command('focus')
    .summary('charges as FOCUS has them')
    .description(prose(`Writes a charge for each line of a bill, in the columns of FOCUS. ${CONTINUED}`))
    .argument('<file>', 'the file to write, such as 2025-07.parquet')
    .addOption(new Option('--focus-version <version>', 'of FOCUS').choices(FOCUS_VERSIONS).default('1.2'))
  return withExportOptions(withFormat(command))
    .addHelpText(
      'after',
      examples(
        ['farthing export focus 2025-07.parquet --month 2025-07', 'all charges of the statements of July'],
        [
          'farthing export focus day.csv --from 2025-07-28T00Z --to 2025-07-29T00Z',
          'those of a day of bills',
        ],
      ),
    )
    .action((path: string, options: FileOptions) => {
      const focusVersion = options.focusVersion
      return writeTable(path, options, version, {
        name: 'GET /v1/focus/charges',
        query: { version: focusVersion },
      })
    })
}

function linesCommand(version: string): Command {
  const command = new Command('lines')
    .summary('lines of bills, for a warehouse')
    .description(prose(`Writes every line of every bill, with what its bill says. ${CONTINUED}`))
    .argument('<file>', 'the file to write, such as lines.parquet')
  return withExportOptions(withFormat(command))
    .addHelpText(
      'after',
      examples(['farthing export lines lines.csv --account acme', 'every line that acme was ever billed']),
    )
    .action((path: string, options: FileOptions) =>
      writeTable(path, options, version, { name: 'GET /v1/exports/lines', query: {} }),
    )
}

function journalCommand(): Command {
  const command = new Command('journal')
    .summary('bills as a journal of hledger or Beancount')
    .description(
      prose(`Writes a transaction for each bill, which comes to zero exactly. Names of accounts, items and projects keep
        their letters and digits; every other byte is - and two hexadecimal digits. ${CONTINUED}`),
    )
    .argument('<file>', 'the file to write, such as 2025-07.journal')
    .addOption(
      new Option('--format <program>', 'for which program').choices(JOURNAL_FORMATS).makeOptionMandatory(),
    )
    .addOption(new Option('--side <side>', 'whose books').choices(JOURNAL_SIDES).default('seller'))
  return withExportOptions(command)
    .addHelpText(
      'after',
      examples([
        'farthing export journal 2025-07.journal --format hledger --month 2025-07',
        'the bills of July',
      ]),
    )
    .action(async (path: string, { format, side, ...options }: JournalOptions) => {
      const query = rangeOf(options)
      const api = makeApi(serverAddress(options))
      const rows = await writeExport({
        path,
        question: JSON.stringify(['journal', format, side, api.url, query]),
        table: LINES_TABLE,
        makeEncoder: journalEncoder({ format, side }),
        read: (after) => api.lines('GET /v1/exports/lines', { query: { ...query, after } }),
      })
      print(`${path}: ${countOf(rows, 'line')} of bills.`)
    })
}

function withFormat(command: Command): Command {
  return command.addOption(
    new Option('--format <format>', 'of the file (default: by the end of its name)').choices(EXPORT_FORMATS),
  )
}

function withExportOptions(command: Command): Command {
  return withServerOptions(
    command
      .option('--month <month>', 'the statements of a month: 2025-07')
      .option(
        '--from <bound>',
        'from this statement month on, 2025-07; or from this cycle on, 2025-07-28T09Z',
      )
      .option('--to <bound>', 'the month or cycle before which it ends')
      .option('--account <account>', 'only charges of this account'),
  )
}

interface Asked {
  readonly name: 'GET /v1/focus/charges' | 'GET /v1/exports/lines'
  readonly query: { readonly version?: FocusVersion }
}

async function writeTable(
  path: string,
  { format: named, ...options }: FileOptions,
  generatorVersion: string,
  { name, query: own }: Asked,
): Promise<void> {
  const format = named ?? formatOf(path)
  const query = { ...own, ...rangeOf(options) }
  const api = makeApi(serverAddress(options))
  const focusVersion = own.version
  const table = focusVersion === undefined ? LINES_TABLE : focusCharges(focusVersion)
  const rows = await writeExport({
    path,
    question: JSON.stringify([name, format, api.url, query]),
    table,
    makeEncoder: tableEncoder(table, format),
    read: (after) => api.lines(name, { query: { ...query, after } }),
  })
  const described = { table, generator: 'Farthing', generatorVersion }
  const metadata = exportMetadata(focusVersion === undefined ? described : { ...described, focusVersion })
  writeFileSync(`${path}.metadata.json`, metadata)
  print(`${path}: ${countOf(rows, 'row')}.`)
}

function formatOf(path: string): ExportFormat {
  const found = EXPORT_FORMATS.find((format) => path.toLowerCase().endsWith(`.${format}`))
  if (found) return found
  throw new CommandFailed(
    `${path} does not end with .jsonl, .csv or .parquet: name such a file, or say --format.`,
    EXIT.usage,
  )
}

function rangeOf({ from, to, month, account }: ExportOptions) {
  if (month === undefined) return { from, to, account }
  if (from !== undefined || to !== undefined) {
    throw new CommandFailed('--month says both --from and --to: leave these out.', EXIT.usage)
  }
  const parsed = parseMonth(month)
  if (parsed === undefined) {
    throw new CommandFailed(`--month is ${month}: write a month such as 2025-07.`, EXIT.usage)
  }
  return { from: month, to: formatMonth((parsed + 1) as Month), account }
}
