import { Command } from 'commander'
import { examples, prose } from '../terminal/help-text.ts'
import type { ReadOwnSettings } from '../own-database.ts'
import type { MigrateOptions } from './run-migrate.ts'

/** `migrate`: bring the schema of the database to that of this version. */
export function migrateCommand(readSettings: ReadOwnSettings): Command {
  return new Command('migrate')
    .summary('bring the schema of the database up to this version')
    .description(
      prose(`Applies the migrations that the database does not have yet, all or none, and says which they were.
        The server does the same when it starts. Run it alone to change the schema as another role, or at a time of
        your own. Waits up to a minute for locks of other sessions, and names who holds them. Running it twice changes
        nothing.`),
    )
    .option('--json', 'print {"applied", "moved", "schema"}')
    .addHelpText(
      'after',
      examples(
        ['farthing migrate', 'after an update, before the servers are started'],
        ['DATABASE_URL=postgres://owner@host/billing farthing migrate', 'as the owner of the tables'],
      ),
    )
    .action(async (options: MigrateOptions) => {
      // Loaded when it is needed: most commands have nothing to do with the database.
      const { runMigrate } = await import('./run-migrate.ts')
      await runMigrate(options, readSettings)
    })
}
