import { countOf } from '../../core/present/readable-text.ts'
import { SCHEMA } from '../../store/embedded/session-settings.ts'
import { migrateDatabase, type ReadOwnSettings } from '../own-database.ts'
import { CommandFailed, EXIT } from '../terminal/command-failed.ts'
import { stopOnCtrlC } from '../terminal/ctrl-c.ts'
import { print, printJson } from '../terminal/terminal.ts'

export interface MigrateOptions {
  readonly json?: true
}

/** Migrate, and say what was applied. */
export async function runMigrate({ json }: MigrateOptions, readSettings: ReadOwnSettings): Promise<void> {
  const stop = stopOnCtrlC(['SIGINT', 'SIGTERM'])
  try {
    const migrated = await migrateDatabase(readSettings, stop.signal)
    if (!migrated.ok) throw new CommandFailed(migrated.detail)
    const { applied, moved } = migrated
    if (json) return printJson({ applied, moved, schema: SCHEMA })
    if (moved) print(`Moved the tables of an older version from the schema public to ${SCHEMA}.`)
    for (const name of applied) print(`Applied ${name}.`)
    print(
      applied.length === 0 ? 'The schema is up to date.' : `Applied ${countOf(applied.length, 'migration')}.`,
      'green',
    )
  } catch (error) {
    if (!stop.signal.aborted) throw error
    throw new CommandFailed('Stopped: the schema was not changed.', EXIT.interrupted)
  } finally {
    stop.done()
  }
}
