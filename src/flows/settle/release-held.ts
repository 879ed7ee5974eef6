import type pg from 'pg'
import { groupBy } from '../../core/group-by.ts'
import { bucketOf } from '../../core/ingest/bucket.ts'
import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import { insertAcceptedTypes } from '../../store/accepted-types.ts'
import { throughGate } from '../../store/gate.ts'
import {
  deleteHeldEvents,
  findUnjudgedHeldEvent,
  type HeldEvent,
  updateHeldEvents,
  lockHeldEvents,
} from '../../store/held-events.ts'
import { insertReleasedEvents } from '../../store/releases.ts'
import type { KeyedEvent } from '../../store/usage-events.ts'
import type { Watermarks } from '../../store/deployment.ts'
import { run, runOne, type Sql } from '../../store/query.ts'
import { blameOf } from '../../store/trouble.ts'
import { lateCycle } from '../../core/time/late-cycle.ts'
import { bookOf } from '../prices/read-price-version.ts'
import { isOfDeclaredType } from '../ingest/note-types.ts'
import { eventsAt } from './adjustments.ts'
import { judge, type Judged, whyHeld } from './judge-held.ts'
import { sealedVersions } from './sealed-versions.ts'

/** Held events that one transaction looks at: it holds the gate, shared, for some milliseconds. */
export const RELEASE_MAX = 1_000

/**
 * Release the held events that the newest price book covers. A condition that every pass looks at, so a publication
 * needs to do nothing for it, and nothing is missed. An event whose cycle is open is billed there; one whose cycle was
 * sealed without it counts in the open hour, with its own usage hour and price.
 * @param account only its events; null: those of all accounts that are not set aside
 * @returns how many were looked at
 */
export async function releaseHeld(
  pool: pg.Pool,
  stopping: () => boolean,
  account: string | null = null,
): Promise<number> {
  for (let all = 0; ;) {
    if (stopping() || !(await runOne(pool, findUnjudgedHeldEvent, undefined))) return all
    const { version, book } = await bookOf(pool, null)
    const looked = await throughGate(pool, 'shared', (client, watermarks) =>
      releaseSome(client, watermarks, { version, book, account }),
    )
    // Others are at work on the rest; or a newer version was published, which the next pass uses.
    if (looked === 0) return all
    all += looked
  }
}

interface Release {
  readonly version: number
  readonly book: PriceBook
  readonly account: string | null
}

async function releaseSome(
  client: Sql,
  watermarks: Watermarks,
  { version, book, account }: Release,
): Promise<number> {
  if (watermarks.priceVersion !== version) return 0
  const keys = await run(client, lockHeldEvents, { priceVersion: version, account, limit: RELEASE_MAX })
  if (keys.length === 0) return 0
  const judged = [...(await eventsAt(client, keys)).values()].map((stored) => judgeNamed(book, stored))
  const held = judged.flatMap((one) => heldOf(one, version))
  if (held.length > 0) await run(client, updateHeldEvents, held)
  const covered = judged.filter(
    ({ stored, assessment }) => stored.isDuplicate || assessment.outcome === 'accepted',
  )
  if (covered.length === 0) return keys.length
  const declared = covered.filter(({ stored, assessment }) =>
    isOfDeclaredType({ type: stored.type, assessment }),
  )
  const types = [...new Set(declared.map(({ stored }) => stored.type))]
  if (types.length > 0) await run(client, insertAcceptedTypes, types)
  const release = await leftOut(client, watermarks, covered)
  if (release.length > 0)
    await run(client, insertReleasedEvents, { cycle: lateCycle(watermarks), keys: release })
  await run(
    client,
    deleteHeldEvents,
    covered.map(({ stored }) => stored),
  )
  return keys.length
}

/** A stored event that cannot be judged: of whom it is, so that those of others can be. */
export class HeldEventDamaged extends Error {
  override readonly name = 'HeldEventDamaged'
  readonly account: string
  readonly bucket: number

  constructor({ account, bucket }: KeyedEvent, cause: unknown) {
    super(`a held event cannot be judged: ${blameOf(cause).reason}`, { cause })
    this.account = account
    this.bucket = bucket
  }
}

function judgeNamed(book: PriceBook, stored: KeyedEvent): Judged<KeyedEvent> {
  try {
    return judge(book, stored)
  } catch (error) {
    throw new HeldEventDamaged(stored, error)
  }
}

/** What stays held, and why. */
function heldOf(judged: Judged<KeyedEvent>, priceVersion: number): readonly HeldEvent[] {
  const why = judged.stored.isDuplicate ? undefined : whyHeld(judged)
  return why ? [{ ...judged.stored, ...why, priceVersion }] : []
}

/** Those whose cycle was sealed with a version that did not cover them. Copies count nowhere. */
async function leftOut(
  sql: Sql,
  watermarks: Watermarks,
  covered: readonly Judged<KeyedEvent>[],
): Promise<readonly KeyedEvent[]> {
  const counting = covered.map(({ stored }) => stored).filter(({ isDuplicate }) => !isDuplicate)
  const versions = await sealedVersions(
    sql,
    watermarks,
    counting.map(({ account, cycle }) => ({ bucket: bucketOf(account), account, hour: cycle })),
  )
  const out: KeyedEvent[] = []
  for (const [version, entries] of groupBy([...counting.entries()], ([index]) => versions[index])) {
    if (version === undefined) continue
    const { book } = await bookOf(sql, version)
    for (const [, stored] of entries)
      if (judge(book, stored).assessment.outcome !== 'accepted') out.push(stored)
  }
  return out
}
