import { randomBytes } from 'node:crypto'
import type { Sql } from '../../store/query.ts'
import { run, runOne } from '../../store/query.ts'
import { findAdoptedLeaves, insertLogTree, listLogTrees, type LogTree } from '../../store/log-trees.ts'
import { findDeployment } from '../shared/read-deployment.ts'
import type { SigningKey } from './signing-key.ts'

/** Who this process is to the log. */
export interface LogIdentity {
  /** The name of the log, of FARTHING_LOG_ORIGIN; undefined: the one that it has, or one by chance. */
  readonly origin: string | undefined
  /** The keys of this process, in their order. */
  readonly keys: readonly SigningKey[]
}

/** Of a process without keys and without a name for the log. */
export const NO_IDENTITY: LogIdentity = { origin: undefined, keys: [] }

const RANDOM_BYTES = 8

/** The tree that grows; undefined: nothing was ever appended. */
export function findNewestTree(sql: Sql): Promise<LogTree | undefined> {
  return runOne(sql, listLogTrees, { tree: null })
}

/** The tree that grows. The first one is made by the first appender, which holds the log. */
export async function newestTree(sql: Sql, { origin }: LogIdentity): Promise<LogTree> {
  const newest = await findNewestTree(sql)
  if (newest) return newest
  const adopted = (await runOne(sql, findAdoptedLeaves, undefined)) ?? 0
  await run(sql, insertLogTree, {
    tree: 1,
    origin: origin ?? (await ownOrigin(sql)),
    adopted,
    continues: null,
  })
  return (await findNewestTree(sql))!
}

/** A name that nobody else has: the top-level domain `invalid` never resolves. */
export async function ownOrigin(sql: Sql): Promise<string> {
  const { demo } = await findDeployment(sql)
  return `${demo ? 'demo-' : ''}farthing.invalid/${randomBytes(RANDOM_BYTES).toString('hex')}`
}

/** The name of a log without the number of its tree. */
export function baseOrigin({ origin, tree }: Pick<LogTree, 'origin' | 'tree'>): string {
  const suffix = `/${tree}`
  return tree > 1 && origin.endsWith(suffix) ? origin.slice(0, -suffix.length) : origin
}
