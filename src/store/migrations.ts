import { readdirSync, readFileSync } from 'node:fs'

const FOLDER = new URL('schema/', import.meta.url)

/**
 * The first migration of versions whose bills follow other rules, and the last such version. Their bills could not be
 * recomputed here, so their databases and backups are refused. Anyone who changes what a bill of the same facts says
 * (amounts, the texts of digests) gives the first migration another name, and adds the old one here.
 */
const OTHER_RULES: ReadonlyMap<string, string> = new Map([
  ['0001-facts.sql', '0.1.0'],
  ['0001-facts-since-0.2.0.sql', '0.2.0'],
])

/** The version of other rules that has made a schema of these migrations; undefined: none has. */
export function versionOfOtherRules(migrations: Iterable<string>): string | undefined {
  for (const name of migrations) if (OTHER_RULES.has(name)) return OTHER_RULES.get(name)
  return undefined
}

/** The migrations of this version, in their order. */
export function knownMigrations(): readonly string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.sql'))
    .sort()
}

export function migrationText(name: string): string {
  return readFileSync(new URL(name, FOLDER), 'utf8')
}

/** What migrations have made, by kind; functions without their arguments. */
export interface Made {
  readonly kind: 'table' | 'function'
  readonly name: string
}

/** All that these migrations make in their schema and that does not follow a table by itself, as indexes do. */
export function madeBy(migrations: Iterable<string>): readonly Made[] {
  const made = new Map<string, Made>()
  for (const migration of migrations) {
    const statements = migrationText(migration).matchAll(/^create (?:or replace )?(table|function) (\w+)/gm)
    for (const [, kind, name] of statements) {
      made.set(`${kind} ${name}`, { kind: kind as Made['kind'], name: name! })
    }
  }
  return [...made.values()]
}
