import { Command } from 'commander'
import { CommandFailed, EXIT } from '../terminal/command-failed.ts'
import type { BackupOptions } from './run-backup.ts'
import { examples, prose } from '../terminal/help-text.ts'
import type { ReadOwnSettings } from '../own-database.ts'

/** `backup`: all facts into one file, or a file read through. */
export function backupCommand(readSettings: ReadOwnSettings, version: string): Command {
  return new Command('backup')
    .summary('write all facts into one file')
    .description(
      prose(`Writes everything that the database holds, as it is at one moment, into a file that any later version
        with the same rules of billing can restore, under any version of PostgreSQL. Works beside a running server, which goes on taking usage, or
        without one. The file is there when it is complete, and not before.`),
    )
    .argument('<file>', 'where to; - is standard output')
    .option(
      '--check',
      'only read the file through: is it whole, as it was written, and can this version restore it?',
    )
    .option('--json', 'print {"createdAt", "farthing", "tables", "rows", "bytes", "sha256"}')
    .addHelpText(
      'after',
      examples(
        ['farthing backup farthing.backup', 'beside the running server'],
        ['farthing backup --check farthing.backup', 'can it be restored?'],
        ['farthing backup - | ssh vault "cat > farthing.backup"', 'to another machine'],
      ),
    )
    .action(async (file: string, options: BackupOptions) => {
      if (file === '-' && options.json && !options.check) {
        throw new CommandFailed('--json and the backup would be mixed: leave out one of them.', EXIT.usage)
      }
      // Loaded when it is needed: most commands have nothing to do with the database.
      const { backUp, checkFile } = await import('./run-backup.ts')
      await (options.check ? checkFile(file, options) : backUp(file, options, readSettings, version))
    })
}
