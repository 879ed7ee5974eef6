import type { Log } from '../../store/connect.ts'
import { listLogKeys } from '../../store/log-trees.ts'
import { run, type Sql } from '../../store/query.ts'
import { mayAppend } from './admit-keys.ts'
import { findNewestTree, type LogIdentity } from './log-identity.ts'

/** Say at a start what this process does not do for the log. */
export async function sayUnsigned(sql: Sql, identity: LogIdentity, log: Log): Promise<void> {
  const tree = await findNewestTree(sql)
  const known = tree ? await run(sql, listLogKeys, tree) : []
  if (!mayAppend(identity.keys, known)) {
    const fix = 'one that has it must run, or set FARTHING_SIGNING_KEY'
    log.warn({}, `This process has no key of the transparency log, and appends nothing to it: ${fix}`)
  } else if (identity.keys.length === 0)
    log.warn({}, 'The transparency log grows unsigned: set FARTHING_SIGNING_KEY to a key to sign it')
}
