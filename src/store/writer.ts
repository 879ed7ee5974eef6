import { knownMigrations } from './migrations.ts'

/**
 * The lowest writer that may go on beside the schema of this version: the number of the newest migration that a process
 * must know in order to store what is right. Raise it with a migration that older processes must not write beside.
 * Otherwise leave it, so that servers can be updated one after the other.
 */
export const MIN_WRITER = 80

let own: number | undefined

/** What this version is to the database, as a writer: the number of its newest migration. */
export function ownWriter(): number {
  return (own ??= Number.parseInt(knownMigrations().at(-1)!, 10))
}

/** A newer Farthing has changed the schema, and this process may not write beside it. */
export class Outdated extends Error {
  override readonly name = 'Outdated'

  constructor(minWriter: number) {
    super(
      `The database needs writers from ${minWriter} on, and this version is ${ownWriter()}: start a newer Farthing.`,
    )
  }
}

/** @throws Outdated when the schema's watermark has risen above this version */
export function checkWriter(minWriter: number): void {
  if (minWriter > ownWriter()) throw new Outdated(minWriter)
}
