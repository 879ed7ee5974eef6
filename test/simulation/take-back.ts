import type pg from 'pg'
import { voidEvents } from '../../src/flows/voids/void-events.ts'
import type { EventKey } from '../../src/store/key-columns.ts'
import type { QuietVoid } from './copies.ts'
import { ProcessDied } from './dying-pool.ts'
import type { Order } from './history.ts'

const ORDER = { actor: 'key_test', reason: 'simulated', what: 'of a simulation' }

/**
 * Give an order until it is answered, as a person does.
 * @param pool whose sessions die
 * @param reading to look up what has come of the identities
 * @returns what is voided now, whether it was before or not
 */
export async function takeBack(
  pool: pg.Pool,
  reading: pg.Pool,
  { takings, twice }: Order,
): Promise<readonly EventKey[]> {
  const { rows } = await reading.query<EventKey>(
    `select distinct e.hour, e.bucket, e.account, e.id, e.source
       from unnest($1::text[], $2::text[], $3::text[], $4::int[]) as t (account, source, id, hour)
       join usage_event e on e.account = t.account and (t.source is null or e.source = t.source)
                         and (t.id is null or e.id = t.id) and (t.hour is null or e.hour = t.hour)`,
    [
      takings.map(({ account }) => account),
      takings.map(({ source }) => source ?? null),
      takings.map(({ id }) => id ?? null),
      takings.map(({ hour }) => hour ?? null),
    ],
  )
  const answers = await Promise.all(Array.from({ length: twice ? 2 : 1 }, () => untilAnswered(pool, rows)))
  // What Farthing itself added is left alone.
  const sent = rows.filter(({ source }) => !source.endsWith('farthing:closed'))
  for (const { decisions, already } of answers) {
    if (decisions.length + already !== sent.length) throw new Error('an order forgot some of its events')
  }
  const taken = answers.reduce((sum, { decisions }) => sum + decisions.length, 0)
  if (taken > sent.length) throw new Error('two orders at once took the same event back twice')
  return sent
}

async function untilAnswered(pool: pg.Pool, keys: readonly EventKey[]) {
  for (;;) {
    try {
      return await voidEvents(pool, ORDER, keys)
    } catch (error) {
      if (!(error instanceof ProcessDied)) throw error
    }
  }
}

/** What the accounts' settled hours are at this moment. */
export async function withSettledHours(
  pool: pg.Pool,
  keys: readonly EventKey[],
): Promise<readonly QuietVoid[]> {
  const { rows } = await pool.query<{ account: string; hour: number }>(
    `select account, hour from bill where account = any ($1)
     union all select account, hour from settled_hour where account = any ($1)`,
    [keys.map(({ account }) => account)],
  )
  return keys.map((key) => {
    const settled = rows.filter(({ account }) => account === key.account).map(({ hour }) => hour)
    return { ...key, settled }
  })
}
