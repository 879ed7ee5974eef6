/** Where a database writes: to disks of its own, or to storage that a service replicates. */
export type Storage = (typeof STORAGES)[number]
export const STORAGES = ['local', 'replicated'] as const

/** What a server says of itself. Settings that it does not show are null. */
export interface Facts {
  readonly version: number
  readonly recovering: boolean
  readonly encoding: string
  readonly fsync: string | null
  readonly full_page_writes?: string | null
  readonly autovacuum?: string | null
  readonly ignore_checksum_failure?: string | null
  readonly session_replication_role?: string | null
  readonly track_activities?: string | null
  readonly zero_damaged_pages?: string | null
}

/** Asked before a session is set: nothing in it depends on what a role has set. */
export const FACTS = `
  select pg_catalog.current_setting('server_version_num')::pg_catalog.int4 as version,
         pg_catalog.pg_is_in_recovery() as recovering,
         pg_catalog.current_setting('server_encoding') as encoding,
         ${[
           'fsync',
           'full_page_writes',
           'autovacuum',
           'ignore_checksum_failure',
           'session_replication_role',
           'track_activities',
           'zero_damaged_pages',
         ]
           .map((name) => `pg_catalog.current_setting('${name}', true) as ${name}`)
           .join(', ')}`

/** Settings that only a server's owner can change. Off, they are refused, unless a service replicates the storage. */
export const DURABLE = [
  { name: 'fsync', code: 'database/fsync_off' },
  { name: 'full_page_writes', code: 'database/full_page_writes_off' },
] as const

/** Further such settings: what is said when one is not as it should be. */
const WANTED: readonly (readonly [
  name: Exclude<keyof Facts, 'version' | 'recovering'>,
  value: string,
  why: string,
])[] = [
  ['fsync', 'on', 'a power cut loses commits unless the storage is replicated'],
  ['full_page_writes', 'on', 'a power cut damages tables unless the storage is replicated'],
  ['autovacuum', 'on', 'tables grow and queries become slow'],
  ['ignore_checksum_failure', 'off', 'damaged pages are read as if they were whole'],
  ['zero_damaged_pages', 'off', 'damaged rows disappear without an error'],
  ['session_replication_role', 'origin', 'references between tables are not checked'],
  ['track_activities', 'on', 'processes that are stopped are not noticed by the others'],
]

/** One sentence for each setting that is not as it should be. */
export function remarksOn(facts: Facts): readonly string[] {
  return WANTED.flatMap(([name, value, why]) => {
    const is = facts[name]
    if (is === undefined || is === null || is === value) return []
    return [`The database has ${name} = ${is}, so ${why}: set ${name} = ${value}`]
  })
}
