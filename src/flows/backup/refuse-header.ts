import { knownMigrations, versionOfOtherRules } from '../../store/migrate.ts'
import type { BackupHeader } from './backup-format.ts'
import { BackupRefused } from './backup-refusal.ts'

/**
 * Can this version restore it? Migrations are numbered, and each builds on those before.
 * @throws BackupRefused by the name of the version that made it
 */
export function refuseHeader({ farthing, migrations }: BackupHeader): void {
  if (versionOfOtherRules(migrations) !== undefined) {
    const what = `The backup was made by Farthing ${farthing}, whose bills follow other rules`
    const fix = `restore it with Farthing ${farthing}, or start with an empty database and import your events again`
    throw new BackupRefused('backup/other_rules', `${what}: ${fix}.`)
  }
  const known = knownMigrations()
  const foreign = migrations.find((name, index) => name !== known[index])
  if (foreign === undefined) return
  const what = `The backup was made by Farthing ${farthing}, which has the migration ${foreign}`
  throw new BackupRefused('backup/newer_version', `${what}: restore it with that version or a newer one.`)
}
