import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { projectFile } from '../flows/shared/project-file.ts'
import { accountsCommand } from './commands/accounts.ts'
import { auditCommand } from './commands/audit.ts'
import type { SetExitCode } from './terminal/command-failed.ts'
import { backupCommand } from './commands/backup.ts'
import { billCommand } from './commands/bill.ts'
import { billsCommand } from './commands/bills.ts'
import { cyclesCommand } from './commands/cycles.ts'
import { eventsCommand } from './commands/events.ts'
import { explainCommand } from './commands/explain.ts'
import { exportCommand } from './commands/export.ts'
import { heldCommand } from './commands/held.ts'
import { importCommand } from './commands/import.ts'
import { keysCommand } from './commands/keys.ts'
import { logCommand } from './commands/log.ts'
import { migrateCommand } from './commands/migrate.ts'
import { priceBookCommand } from './commands/price-book.ts'
import { priceListsCommand } from './commands/price-lists.ts'
import { proofCommand } from './commands/proof.ts'
import { rateCommand } from './commands/rate.ts'
import { refusedCommand } from './commands/refused.ts'
import { restoreCommand } from './commands/restore.ts'
import { type Serve, serveCommand } from './commands/serve.ts'
import { settleCommand } from './commands/settle.ts'
import { sourcesCommand } from './commands/sources.ts'
import { storageCommand } from './commands/storage.ts'
import { usageCommand } from './commands/usage.ts'
import { completionCommand } from './commands/completion.ts'
import { setManner } from './terminal/manner.ts'
import { verifyCommand } from './commands/verify.ts'
import { voidCommand } from './commands/void.ts'
import { voidsCommand } from './commands/voids.ts'
import type { ReadOwnSettings } from './own-database.ts'

const EXIT_CODES = `
Exit codes: 0 all is well; 1 failed; 2 wrong command line; 3 some events were rejected or conflicting; 130 Ctrl-C.`

interface GlobalOptions {
  readonly quiet?: true
  readonly wide?: true
  readonly color: boolean
}

/** What commands need of the program around them. */
export interface Surroundings {
  readonly serve: Serve
  readonly readSettings: ReadOwnSettings
}

/** All commands, with their help. */
export function makeProgram({ serve, readSettings }: Surroundings, setExitCode: SetExitCode): Command {
  const program = new Command('farthing')
    .description('Meters and bills APIs that are paid by use.')
    .version(version(), '-V, --version', 'print the version')
    .option('--quiet', 'no progress and no remarks: results and errors alone')
    .option('--wide', 'lists as wide as they need, whatever the terminal is')
    .option('--no-color', 'no colours, as with NO_COLOR')
    .hook('preAction', () => {
      const { quiet, wide, color } = program.opts<GlobalOptions>()
      setManner({ quiet: quiet === true, wide: wide === true, colours: color })
    })
    .configureHelp({ showGlobalOptions: true })
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .showHelpAfterError('(farthing --help lists the commands)')
    .exitOverride()
    .addHelpText('after', EXIT_CODES)
  const commands = [
    serveCommand(serve, setExitCode),
    importCommand(setExitCode),
    eventsCommand(setExitCode),
    billsCommand(),
    explainCommand(),
    proofCommand(),
    exportCommand(version()),
    settleCommand(readSettings),
    verifyCommand(readSettings, setExitCode),
    logCommand(readSettings),
    migrateCommand(readSettings),
    backupCommand(readSettings, version()),
    restoreCommand(readSettings, setExitCode),
    rateCommand(setExitCode),
    priceBookCommand(setExitCode),
    priceListsCommand(setExitCode),
    usageCommand(),
    storageCommand(),
    cyclesCommand(),
    sourcesCommand(),
    heldCommand(),
    refusedCommand(),
    voidsCommand(setExitCode),
    accountsCommand(),
    keysCommand(readSettings),
    auditCommand(),
    completionCommand(),
  ]
  for (const command of commands) program.addCommand(inherit(command, program))
  // Short forms of what is asked most.
  for (const command of [billCommand('bill'), voidCommand('void', setExitCode)]) {
    program.addCommand(inherit(command, program), { hidden: true })
  }
  return program
}

/** Commands that were made apart know nothing of their parent's settings. */
function inherit(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent)
  command.showHelpAfterError(`(${fullName(command, parent)} --help says more)`)
  for (const child of command.commands) inherit(child, command)
  return command
}

function fullName(command: Command, parent: Command): string {
  const names = [command.name()]
  for (let each: Command | null = parent; each; each = each.parent) names.unshift(each.name())
  return names.join(' ')
}

function version(): string {
  const text = readFileSync(projectFile('package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
