import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createNoLink, makeDirectoryNoLink } from './no-links.ts'
import { isAlive, newIdentity } from './process-identity.ts'

/**
 * The processes that use one server, each on record as a file in a directory, so that the last one to leave can
 * stop it. Call these in turn (`inTurn`): who is last is found by looking, and then acted on.
 */
export interface Membership {
  readonly dir: string
  readonly identity: string
}

export function enter(dir: string): Membership {
  makeDirectoryNoLink(dir)
  const identity = newIdentity()
  createNoLink(join(dir, identity))
  return { dir, identity }
}

export function leave({ dir, identity }: Membership): void {
  rmSync(join(dir, identity), { force: true })
}

/** Whether any living process uses the server. Records of the dead are removed on the way. */
export function hasMembers(dir: string): boolean {
  makeDirectoryNoLink(dir)
  const identities = readdirSync(dir)
  for (const identity of identities.filter((each) => !isAlive(each)))
    rmSync(join(dir, identity), { force: true })
  return identities.some(isAlive)
}
