import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { type Random, seededRandom } from '../../bench/generate/random.ts'
import type { Hour } from '../../src/core/time/hour.ts'
import { endImport } from '../../src/flows/settle/imports.ts'
import { createIngest } from '../../src/flows/ingest/ingest.ts'
import type { Ingest } from '../../src/flows/ingest/ingest-types.ts'
import { endLevels } from '../../src/flows/settle/end-levels.ts'
import { joinSegments } from '../../src/flows/settle/join-segments.ts'
import type { AsideNews } from '../../src/flows/settle/set-aside.ts'
import { settlePass } from '../../src/flows/settle/settle.ts'
import { type Difference, verify } from '../../src/flows/verify/verify.ts'
import { type Log, makePool } from '../../src/store/connect.ts'
import type { Sql } from '../../src/store/query.ts'
import { type Deployment, deployment, refuseAside } from '../system/deployment.ts'
import { makeClockMovable, movable, moveClock } from '../system/moved-clock.ts'
import type { QuietVoid } from './copies.ts'
import { dyingPool, ProcessDied } from './dying-pool.ts'
import type { Delivery, History, Order, Pass, Round } from './history.ts'
import type { Answer } from './ledger.ts'
import { insertZones } from './own-prices.ts'
import { firstLists } from './price-lists.ts'
import { type PriceTable, priceBookText, priceTable, publications } from './prices.ts'
import { publisher } from './publisher.ts'
import { type Registrar, registrar } from './registrar.ts'
import { takeBack, withSettledHours } from './take-back.ts'

const HOUR_MS = 3_600_000
export const IDENTITY_WINDOW_MS = 62 * 24 * HOUR_MS
const PROCESSES = 2
const TRIES_MAX = 300
/** The share of statements before which a session lingers. */
const SLOW = 0.03
const SLOW_MS = 15

export interface Driven {
  readonly deployed: Deployment
  /** The price tables that were published, version 1 first. */
  readonly tables: readonly PriceTable[]
  readonly answers: readonly Answer[]
  /** What was voided while nothing else happened. */
  readonly quietVoids: readonly QuietVoid[]
  /** The accounts that are closed, each with its instant. */
  readonly closings: ReadonlyMap<string, number>
  /** What was logged besides the deaths that were meant. */
  readonly errors: readonly unknown[]
}

/** Play a history against a database of its own, through the real flows, until every hour is settled. */
export async function drive(history: History): Promise<Driven> {
  const { firstHour, windowMs, hourToCome } = history
  const first = priceTable(firstHour)
  const deployed = await started(firstHour, first)
  await makeClockMovable(deployed.pool)
  const clocked = makePool(movable(deployed.connection), { max: 10, applicationName: 'farthing-test' })
  const random = seededRandom(history.seed)
  let deaths = 0
  const fate = () => {
    if (random.chance(deaths)) return random.chance(0.5) ? 'before' : 'after'
    // What is open between two statements stays open for a while.
    return random.chance(SLOW) ? sleep(SLOW_MS, undefined) : undefined
  }
  const pool = dyingPool(clocked, fate)
  const errors: unknown[] = []
  const log: Log = { info() {}, warn() {}, error: ({ err }: { err?: unknown }) => note(errors, err) }
  const taken = history.knownOnly ? 'known' : 'any'
  const ingests = await Promise.all(
    Array.from({ length: PROCESSES }, () => createIngest({ pool, log, taken })),
  )
  const accounts = registrar(pool)
  const answers: Answer[] = []
  let clockWasBehind = false
  const quietVoids: QuietVoid[] = []
  const lists = firstLists(firstHour)
  const publish = publisher(pool, first, [...lists, ...publications(firstHour, hourToCome)])
  for (let index = 0; index < lists.length; index++) await publish.next()
  await insertZones(clocked, history.zones)
  for (const put of history.puts) await accounts.put(put)
  for (const round of history.rounds) {
    const { clockAheadMs } = round
    await moveClock(clocked, `${clockAheadMs / 1000} seconds`)
    clockWasBehind ||= clockAheadMs < 0
    deaths = round.deaths
    if (history.seed % SET_ASIDE_EVERY === 0) await setSomeAside(clocked, random)
    for (const order of round.quietOrders) {
      const keys = await takeBack(pool, clocked, order)
      quietVoids.push(...(await withSettledHours(clocked, keys)))
    }
    await playRound(round, {
      async send(delivery) {
        const told = await send(ingests[delivery.process]!, delivery, accounts, errors)
        answers.push(...told.map((answer) => ({ ...answer, mayBeAhead: clockWasBehind || isAhead(answer) })))
      },
      take: (order) => takeBack(pool, clocked, order),
      put: (put) => accounts.put(put),
      publish: publish.next,
      join: () => unlessDead(() => joinSegments(pool, (hourToCome + 48) as Hour, () => false)),
      settle: (pass) => passOnce(pool, pass, windowMs, clockAheadMs),
    })
    deaths = 0
    for (const name of round.endImports) await endImport(clocked, name)
  }
  await Promise.all(ingests.map((ingest) => ingest.close()))
  await clocked.end()
  await endLevels({ pool: deployed.pool, stopping: () => false })
  await settleAll(deployed, windowMs)
  const closings = accounts.closings()
  return { deployed, tables: publish.tables, answers, quietVoids, closings, errors }
}

/** In so many histories accounts are set aside, as if something in them could not be settled. */
const SET_ASIDE_EVERY = 2

/** Some accounts are set aside from where their bucket is; any pass may let them catch up. */
async function setSomeAside(pool: pg.Pool, random: Random): Promise<void> {
  const { rows } = await pool.query<{ bucket: number; account: string }>(
    'select distinct bucket, account from usage_event order by 1, 2',
  )
  for (const { bucket, account } of rows.filter(() => random.chance(0.5))) {
    const client = await pool.connect()
    await client.query('begin')
    await client.query('select from bucket where bucket = $1 for update', [bucket])
    await client.query(
      `insert into set_aside (bucket, account, hour, retry_at, code, reason)
       select bucket, $2, settled_until, clock_timestamp() + interval '1 minute', 'test', 'so that it catches up'
         from bucket where bucket = $1
           on conflict do nothing`,
      [bucket, account],
    )
    await client.query('commit')
    client.release()
  }
}

/** A deployment with the prices of a table. */
export async function started(firstHour: number, table: PriceTable): Promise<Deployment> {
  const dir = mkdtempSync(join(tmpdir(), 'farthing-simulation-'))
  const book = join(dir, 'prices.json')
  writeFileSync(book, priceBookText(table))
  try {
    return await deployment(firstHour as Hour, book)
  } finally {
    rmSync(dir, { recursive: true })
  }
}

function isAhead({ event }: Answer): boolean {
  return Date.parse(event.time) > Date.now()
}

function note(errors: unknown[], error: unknown): void {
  if (!(error instanceof ProcessDied)) errors.push(error)
}

interface Acts {
  readonly send: (delivery: Delivery) => Promise<void>
  readonly take: (order: Order) => Promise<unknown>
  readonly put: Registrar['put']
  readonly publish: () => Promise<void>
  readonly join: () => Promise<unknown>
  readonly settle: (pass: Pass) => Promise<void>
}

async function playRound(round: Round, acts: Acts): Promise<void> {
  const before = Promise.all([
    ...round.deliveries.map(acts.send),
    ...round.orders.map(acts.take),
    putAll(round, acts),
    ...(round.publishes ? [acts.publish()] : []),
  ])
  if (!round.atOnce) await before
  await Promise.all([before, ...round.passes.map(acts.settle), ...(round.joins ? [acts.join()] : [])])
}

/** One after the other: what is said of an account has an order. */
async function putAll({ puts }: Round, acts: Acts): Promise<void> {
  for (const put of puts) await acts.put(put)
}

/** As a producer does: the same again until there is an answer. */
async function send(
  ingest: Ingest,
  { events, writer }: Delivery,
  accounts: Registrar,
  errors: readonly unknown[],
): Promise<readonly Answer[]> {
  for (let tries = 1; tries <= TRIES_MAX; tries++) {
    const before = events.map(({ subject }) => accounts.answered(subject))
    const submitted = await ingest.submit(
      events.map((raw) => ({ raw })),
      undefined,
      { writer },
    )
    if (submitted.ok) {
      return submitted.results.map(({ outcome, code }, index) => {
        const event = events[index]!
        return { event, outcome, code, before: before[index]!, meanwhile: accounts.begun(event.subject) }
      })
    }
    await sleep(1)
  }
  const [last = 'deaths alone'] = errors.slice(-1)
  throw new Error(`a delivery was not answered in ${TRIES_MAX} tries: ${String(last)}`)
}

/** A pass that dies is over: the next one goes on. */
async function passOnce(
  pool: Deployment['pool'],
  { sealTo, backfillQuietMs }: Pass,
  identityWindowMs: number,
  clockAheadMs: number,
): Promise<void> {
  const graceMs = graceUntil(sealTo) + clockAheadMs
  const ending = unlessDead(() => endLevels({ pool, stopping: () => false }))
  await unlessDead(() =>
    settlePass({
      pool,
      graceMs,
      backfillQuietMs,
      identityWindowMs,
      stopping: () => false,
      onAside: refuseFailed,
      // Not in every pass: others settle beside what is set aside, again and again.
      retryNow: sealTo % 2 === 0,
    }),
  )
  await ending
}

/** Only the simulation sets aside, and what it has set aside can be settled. */
function refuseFailed(news: AsideNews): void {
  if (news.kind !== 'caught up') refuseAside(news)
}

/** @returns undefined when the process has died over it */
async function unlessDead<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ProcessDied)) throw error
    return undefined
  }
}

/** The grace period with which, now, exactly the hours before `hour` are due. Negative for hours to come. */
export function graceUntil(hour: number): number {
  return Date.now() - hour * HOUR_MS - HOUR_MS / 2
}

/** Settle until no hour, no history and no correction is left open: hours to come are settled as if they had ended. */
export async function settleAll(
  { pool }: Pick<Deployment, 'pool'>,
  identityWindowMs = IDENTITY_WINDOW_MS,
): Promise<void> {
  const PASSES_MAX = 20
  for (let pass = 0; pass < PASSES_MAX; pass++) {
    const { rows } = await pool.query<{ sealed_until: number; open: boolean }>(
      `select sealed_until,
              exists (select from backfill_hour) or settled_until < sealed_until
              or exists (select from late_hour where cycle >= settled_until)
              or exists (select from restated_account where cycle >= settled_until)
              or exists (select from released_event where cycle >= settled_until)
              or exists (select from voided_event where cycle >= settled_until)
              or exists (select from held_event h where h.price_version < deployment.price_version)
              or price_version > (select c.price_version from cycle c where c.hour = sealed_until - 1)
              or exists (select from usage_event where cycle >= settled_until) as open
         from deployment`,
    )
    const [{ sealed_until: sealedUntil, open }] = rows as [(typeof rows)[0]]
    const currentHour = Math.floor(Date.now() / HOUR_MS)
    if (!open && sealedUntil > currentHour) return
    const graceMs = graceUntil(Math.max(currentHour, sealedUntil) + 1)
    await settlePass({
      pool,
      graceMs,
      backfillQuietMs: 0,
      identityWindowMs,
      stopping: () => false,
      onAside: refuseFailed,
      retryNow: true,
    })
  }
  throw new Error(`something is open after ${PASSES_MAX} passes of settlement`)
}

/** What Farthing itself finds when it makes every bill again. */
export async function differences(sql: Sql): Promise<readonly Difference[]> {
  const found: Difference[] = []
  const range = { from: 0 as Hour, to: (2 ** 31 - 1) as Hour }
  for await (const one of verify(sql, { ...range, onProgress: () => undefined })) found.push(one)
  return found
}
