import type { Pool } from '../../store/reading-pool.ts'
import type { Hour } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Log } from '../../store/connect.ts'
import { refuseOpenDirectory } from '../../store/embedded/place.ts'
import { oneLine, refuseSystemError, type ServerCode } from '../../store/embedded/refusal.ts'
import { run, runOne, type Sql } from '../../store/query.ts'
import { insertBuckets } from '../../store/buckets.ts'
import {
  insertDeployment,
  type Deployment,
  lockFirstStart,
  findDeploymentRow,
} from '../../store/deployment.ts'
import { insertPendingPriceVersion } from '../../store/log-pending.ts'
import { insertPriceVersion, findPriceVersionRow } from '../../store/price-versions.ts'
import { findRestoring } from '../../store/backup.ts'
import { transaction } from '../../store/transaction.ts'
import { adminKeyPath, leaveAdminKey } from '../keys/admin-key-file.ts'
import { makeKey } from '../keys/make-key.ts'
import { projectFile } from '../shared/project-file.ts'
import {
  readGivenBook,
  readStartBook,
  refuseUncovered,
  type StartBook,
  type StartBookCode,
} from './start-book.ts'

/** The price book of a first start that was given none: a demo. */
export const REFERENCE_BOOK = 'price-books/imm.yaml'

export type FirstStartCode = StartBookCode | 'start/demo_database' | 'start/restoring'

export interface FirstStartOptions {
  readonly pool: Pool
  /** Where the admin key is left. */
  readonly dataDir: string
  /** Path of the deployment's price book; undefined: the reference, as a demo. */
  readonly priceBook: string | undefined
  readonly log: Log
  /** The hour of the first start; undefined: that of the database's clock. */
  readonly firstHour?: Hour | undefined
}

export type FirstStarted =
  | {
      readonly ok: true
      readonly demo: boolean
      /** Made just now, to be shown this once; undefined when the database was started before. */
      readonly adminKey: string | undefined
      readonly adminKeyPath: string
    }
  | { readonly ok: false; readonly code: FirstStartCode | ServerCode; readonly detail: string }

type Refusal = Extract<FirstStarted, { readonly ok: false }>

/**
 * Make an empty, migrated database into a deployment: its one row, the buckets, version 1 of the price book and
 * the admin key. On a database that is one already, only compare the price book.
 *
 * One transaction under a lock, so two processes may start at once, and a kill at any line leaves all or nothing.
 * The admin key is on disk before the commit.
 */
export async function firstStart(options: FirstStartOptions): Promise<FirstStarted> {
  const given = options.priceBook === undefined ? undefined : readGivenBook(options.priceBook)
  if (given && !given.ok) return given
  try {
    const open = refuseOpenDirectory(options.dataDir)
    if (open) return open
    return await transaction(options.pool, async (sql) => {
      if (await runOne(sql, findRestoring, undefined)) return refuseRestoring()
      await run(sql, lockFirstStart, undefined)
      const deployment = await runOne(sql, findDeploymentRow, undefined)
      return deployment ? await startAgain(sql, options, deployment, given) : await begin(sql, options, given)
    })
  } catch (error) {
    return refuseSystemError(error, options.dataDir)
  }
}

async function begin(
  sql: Sql,
  options: FirstStartOptions,
  given: StartBook | undefined,
): Promise<FirstStarted> {
  const chosen = given ?? readStartBook(projectFile(REFERENCE_BOOK))
  if (!chosen.ok) return chosen
  const uncovered = refuseUncovered(chosen)
  if (uncovered) return uncovered
  const { parsed, source, digest } = chosen
  const version = 1
  await run(sql, insertPriceVersion, {
    version,
    publishedBy: 'first start',
    book: parsed.canonical,
    source,
    digest,
  })
  await run(sql, insertPendingPriceVersion, { version })
  const demo = given === undefined
  const deployment = {
    priceVersion: version,
    currency: parsed.book.currency,
    demo,
    firstHour: options.firstHour,
  }
  const settledUntil = await runOne(sql, insertDeployment, deployment)
  await run(sql, insertBuckets, { settledUntil: settledUntil! })
  const key = leaveAdminKey(options.dataDir)
  const request = { name: 'admin (first start)', scopes: ['admin'], account: null, expiresAt: null } as const
  await makeKey(sql, request, Date.now() as Instant, key)
  return { ok: true, demo, adminKey: key, adminKeyPath: adminKeyPath(options.dataDir) }
}

async function startAgain(
  sql: Sql,
  { dataDir, log }: FirstStartOptions,
  { demo, priceVersion }: Deployment,
  given: StartBook | undefined,
): Promise<FirstStarted> {
  if (given && demo) {
    const detail = 'This database was started as a demo, with illustrative prices, and stays one'
    const advice = 'unset FARTHING_PRICE_BOOK, or start with an empty database or data directory'
    return refuse('start/demo_database', `${detail}: ${advice}.`)
  }
  if (given) {
    warnOfUncovered(log, given, priceVersion)
    const newest = await runOne(sql, findPriceVersionRow, { version: null })
    if (newest && newest.digest !== given.digest.toString('hex')) {
      const fields = { file: given.path, priceVersion }
      log.warn(
        fields,
        'The price book file differs from the published version, which stays in force: publish it',
      )
    }
  }
  return { ok: true, demo, adminKey: undefined, adminKeyPath: adminKeyPath(dataDir) }
}

/** The published version rules, whatever the file says: its events of such a type are held until another is published. */
function warnOfUncovered(log: Log, given: StartBook, priceVersion: number): void {
  const refused = refuseUncovered(given)
  if (refused === undefined) return
  const fields = { file: given.path, priceVersion, problem: refused.detail }
  log.warn(
    fields,
    'The price book file has an event type that no rate covers: its events are held. Correct it and publish it',
  )
}

function refuseRestoring(): Refusal {
  const detail = 'A backup is being restored into this database'
  return refuse('start/restoring', `${detail}: start again when it has ended.`)
}

function refuse(code: FirstStartCode, detail: string): Refusal {
  return { ok: false, code, detail: oneLine(detail) }
}
