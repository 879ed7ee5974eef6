import { existsSync } from 'node:fs'
import type { Log } from '../../store/connect.ts'
import { listLogKeys } from '../../store/log-trees.ts'
import { run, type Sql } from '../../store/query.ts'
import { mayAppend } from './admit-keys.ts'
import { findNewestTree, type LogIdentity, NO_IDENTITY } from './log-identity.ts'
import { sayUnsigned } from './say-unsigned.ts'
import {
  makeSigningKey,
  ownKeyPath,
  type ReadSigningKey,
  readSigningKey,
  type SigningKey,
} from './signing-key.ts'

/** What a process is set to about the log: plain data. */
export interface LogSettings {
  /** Of FARTHING_LOG_ORIGIN. */
  readonly origin: string | undefined
  /** Files of private keys, of FARTHING_SIGNING_KEY; undefined: the own one of an embedded database. */
  readonly keyPaths: readonly string[] | undefined
  /** Where the embedded database is; undefined: the database is the user's own, whose key must be given. */
  readonly embeddedDir: string | undefined
}

export type PreparedIdentity =
  { readonly ok: true; readonly identity: LogIdentity } | Extract<ReadSigningKey, { readonly ok: false }>

/**
 * The keys of this process. Without a given one an embedded database has its own, which is made here unless the log has one
 * already that is lost.
 */
export async function prepareIdentity(sql: Sql, settings: LogSettings, log: Log): Promise<PreparedIdentity> {
  const { embeddedDir, keyPaths } = settings
  if (keyPaths === undefined && embeddedDir !== undefined && !existsSync(ownKeyPath(embeddedDir))) {
    const tree = await findNewestTree(sql)
    const known = tree ? await run(sql, listLogKeys, { tree: tree.tree }) : []
    if (mayAppend([], known)) {
      const made = makeSigningKey(ownKeyPath(embeddedDir))
      if (!made.ok) return made
    }
  }
  const read = readIdentity(settings)
  if (read.ok) await sayUnsigned(sql, read.identity, log)
  return read
}

/** The same, without making anything. */
export function readIdentity(settings: LogSettings): PreparedIdentity {
  const keys: SigningKey[] = []
  for (const path of pathsOf(settings)) {
    const read = readSigningKey(path)
    if (!read.ok) return read
    keys.push(read.key)
  }
  return { ok: true, identity: { origin: settings.origin, keys } }
}

/** Of a process that has read its keys at its start. @throws when they cannot be read any more */
export function identityOf(settings: LogSettings | undefined): LogIdentity {
  if (settings === undefined) return NO_IDENTITY
  const read = readIdentity(settings)
  if (!read.ok) throw new Error(read.detail)
  return read.identity
}

function pathsOf({ keyPaths, embeddedDir }: LogSettings): readonly string[] {
  if (keyPaths) return keyPaths
  if (embeddedDir === undefined || !existsSync(ownKeyPath(embeddedDir))) return []
  return [ownKeyPath(embeddedDir)]
}
