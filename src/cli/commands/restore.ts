import { Command } from 'commander'
import type { SetExitCode } from '../terminal/command-failed.ts'
import type { RestoreOptions } from './run-restore.ts'
import { examples, prose } from '../terminal/help-text.ts'
import type { ReadOwnSettings } from '../own-database.ts'

/** `restore`: a backup into an empty database. */
export function restoreCommand(readSettings: ReadOwnSettings, setExitCode: SetExitCode): Command {
  return new Command('restore')
    .summary('bring a backup into an empty database')
    .description(
      prose(`Brings back all that a backup holds, or nothing: into a new data directory (FARTHING_DATA_DIR), or an empty
        database (DATABASE_URL). Nothing is ever replaced. A file is read through before anything is written. An admin
        key is left in the data directory, as by a first start.`),
    )
    .argument('<file>', 'a backup; - is standard input')
    .option('--verify', 'then compute every bill again from its events, as `farthing verify` does')
    .option('--json', 'print {"createdAt", "farthing", "tables", "rows", "bytes", "sha256", "adminKeyPath"}')
    .addHelpText(
      'after',
      examples(
        ['FARTHING_DATA_DIR=new farthing restore farthing.backup', 'into a new data directory'],
        [
          'DATABASE_URL=postgres://farthing@db/empty farthing restore farthing.backup',
          'into a PostgreSQL of yours',
        ],
      ),
    )
    .action(async (file: string, options: RestoreOptions) => {
      // Loaded when it is needed: most commands have nothing to do with the database.
      const { restore } = await import('./run-restore.ts')
      await restore(file, options, readSettings, setExitCode)
    })
}
