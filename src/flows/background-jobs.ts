import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import type { Hour } from '../core/time/hour.ts'
import type { Log } from '../store/connect.ts'
import { insertUncountedHour } from '../store/sources.ts'
import { deleteOldRefusedEvents } from '../store/refusals.ts'
import { run, runOne } from '../store/query.ts'
import { findSettlingFront } from '../store/set-aside.ts'
import { appendPending } from './log/append-pending.ts'
import { type LogIdentity, NO_IDENTITY } from './log/log-identity.ts'
import { signCheckpoints } from './log/sign-checkpoints.ts'
import { endLevels } from './settle/end-levels.ts'
import { countSources } from './sources/count-sources.ts'
import { forgetOldRequests } from './shared/idempotent-requests.ts'
import { troubleOf } from '../store/trouble.ts'
import { readWatermarks } from './shared/read-deployment.ts'
import { type SlaMonitor, makeSlaMonitor } from './settle/sla-monitor.ts'
import { type ClockWatch, makeClockWatch } from './settle/clock-watch.ts'
import { joinSegments } from './settle/join-segments.ts'
import { sealDue } from './settle/seal-hours.ts'
import { sayingAside } from './settle/say-aside.ts'
import { settlePass } from './settle/settle.ts'

/** Between two looks at what is due. The lag of a bill is at least this much uncertain. */
const PASS_INTERVAL_MS = 1_000
/** Fingerprints of settled days are joined this often. */
const JOIN_INTERVAL_MS = 600_000
/** Refused events beyond those that are kept go this often: what can come in between is bounded by kinds. */
const PRUNE_INTERVAL_MS = 60_000
/** Refused events that are kept, for all accounts together. */
export const REFUSED_EVENTS_KEPT = 100_000

export interface BackgroundJobsOptions {
  readonly pool: pg.Pool
  readonly log: Log
  readonly graceMs: number
  readonly backfillQuietMs: number
  readonly identityWindowMs: number
  /** Who this process is to the log; undefined: it has no keys. */
  readonly identity?: LogIdentity
  /** This process's clock; undefined: that of the machine. */
  readonly ownClock?: () => number
}

export interface BackgroundJobs {
  /** Wait for the transactions in progress. */
  stop(): Promise<void>
}

/**
 * Seals and settles what is due, again and again, in this thread. Any number of processes may do so on one database.
 * Hours are sealed beside settlement, so that they are sealed in time while many others wait for their bills.
 */
export function startBackgroundJobs(options: BackgroundJobsOptions): BackgroundJobs {
  const abort = new AbortController()
  const clock = makeClockWatch(options.log, options)
  const bills = makeSlaMonitor(options.log, options.graceMs)
  const loops = [
    again(abort.signal, options.log, () => seal(options, clock, bills)),
    again(abort.signal, options.log, () => settle(options, clock, bills, abort.signal)),
    again(abort.signal, options.log, () =>
      endLevels({ pool: options.pool, stopping: () => abort.signal.aborted }),
    ),
    again(abort.signal, options.log, () =>
      countSources({ pool: options.pool, log: options.log, stopping: () => abort.signal.aborted }),
    ),
    again(abort.signal, options.log, growingLog(options, abort.signal)),
    again(abort.signal, options.log, () => join(options.pool, abort.signal), JOIN_INTERVAL_MS),
    again(abort.signal, options.log, () => prune(options.pool), PRUNE_INTERVAL_MS),
  ]
  return {
    async stop() {
      abort.abort()
      await Promise.all(loops)
    },
  }
}

async function again(
  signal: AbortSignal,
  log: Log,
  work: () => Promise<void>,
  intervalMs = PASS_INTERVAL_MS,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await work()
    } catch (error) {
      const trouble = troubleOf(error)
      const why = trouble ? ` ${trouble.advice}` : ''
      log.error({ err: error }, `Settling failed: it goes on with the next pass.${why}`)
    }
    await sleep(intervalMs, undefined, { signal }).catch(() => undefined)
  }
}

async function seal(options: BackgroundJobsOptions, clock: ClockWatch, bills: SlaMonitor): Promise<void> {
  const { pool, graceMs, backfillQuietMs } = options
  if (await clock.look(pool)) await sealDue({ pool, graceMs, backfillQuietMs, accepts: clock.accepts })
  bills.look(await readWatermarks(pool), (await runOne(pool, findSettlingFront, undefined)) ?? undefined)
}

async function join(pool: pg.Pool, signal: AbortSignal): Promise<void> {
  // Not up to `settledUntil`: an account that is set aside keeps nobody's days apart.
  const front = await runOne(pool, findSettlingFront, undefined)
  if (front) await joinSegments(pool, front, () => signal.aborted)
}

/** Append and sign; what stands against signing is said once, and when it has changed. */
function growingLog(
  { pool, log, identity = NO_IDENTITY }: BackgroundJobsOptions,
  signal: AbortSignal,
): () => Promise<void> {
  let said: string | undefined
  return async () => {
    while (!signal.aborted && !(await appendPending(pool, identity)).isDone);
    const done = await signCheckpoints(pool, identity)
    const refused = 'refused' in done ? done.refused : undefined
    if (refused !== undefined && refused !== said) log.error({}, refused)
    said = refused
  }
}

async function prune(pool: pg.Pool): Promise<void> {
  await run(pool, deleteOldRefusedEvents, { kept: REFUSED_EVENTS_KEPT })
  await forgetOldRequests(pool)
}

async function settle(
  { pool, log, graceMs, backfillQuietMs, identityWindowMs }: BackgroundJobsOptions,
  clock: ClockWatch,
  bills: SlaMonitor,
  signal: AbortSignal,
): Promise<void> {
  const past = new Set<Hour>()
  await settlePass({
    pool,
    graceMs,
    backfillQuietMs,
    identityWindowMs,
    accepts: clock.accepts,
    stopping: () => signal.aborted,
    onAside: sayingAside(log),
    onSettled: ({ hour }, isBackfill) => {
      bills.settled(hour, isBackfill)
      if (isBackfill) past.add(hour)
    },
  })
  // Backfill came in after its hour had been counted.
  for (const hour of past) await run(pool, insertUncountedHour, { hour })
}
