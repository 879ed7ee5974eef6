import { afterAll, beforeAll, expect, test } from 'vitest'
import { setTimeout as sleep } from 'node:timers/promises'
import { createIngest } from '../../src/flows/ingest/ingest.ts'
import { makePool } from '../../src/store/connect.ts'
import { type Deployment, quiet } from './deployment.ts'
import {
  ALWAYS,
  BOOK,
  deployedWith,
  item,
  price,
  publish,
  thisHour,
  usage,
  withItems,
} from './price-versions.ts'

// Guarantee: from the commit of a publication on no event is judged under an older version, while several processes
// take in events as fast as they can. Else an event could stay held that no later pass looks at.

const VERSIONS = 8
const WRITERS = 3

let deployed: Deployment
beforeAll(async () => {
  deployed = await deployedWith(BOOK)
  // At its commit, each held event looks which version is the newest. And between its rows and its commit each writer
  // lingers, so that versions would be published meanwhile, if they could.
  await deployed.pool.query(`
    create table judged (subject text, newest integer);
    create function note() returns trigger language plpgsql as $$
    begin
      insert into judged select new.subject, price_version from deployment;
      return null;
    end $$;
    create constraint trigger note after insert on held_event deferrable initially deferred
      for each row execute function note();
    create function linger() returns trigger language plpgsql as $$
    begin
      perform pg_sleep(0.03);
      return null;
    end $$;
    create trigger linger after insert on usage_event for each statement execute function linger()`)
})
afterAll(() => deployed.close())

/** Version `number` knows the operations Fresh2 to Fresh<number>, and from 5 on what a score costs. */
function versionOf(number: number) {
  const fresh = Array.from({ length: number - 1 }, (_, at) => `Fresh${at + 2}`)
  const scores = item('processing', { operations: ['Score'], prices: [price(ALWAYS, '7')] })
  return { ...(number < 5 ? BOOK : withItems({ Scores: scores })), operations: ['Ping', ...fresh] }
}

test('events race with publications, and none is judged under an older version', async () => {
  const now = { published: 1 }
  const counts = { held: 0, accepted: 0, late: 0 }
  const writer = async (name: string) => {
    const pool = makePool(deployed.connection, { max: 3 })
    const ingest = await createIngest({ pool, log: quiet })
    const hour = thisHour()
    for (let batch = 0; now.published <= VERSIONS; batch++) {
      const before = now.published
      const operations = Array.from({ length: VERSIONS - 1 }, (_, at) => `Fresh${at + 2}`)
      const raws = [
        ...operations.map((operation) => usage(`${name}-${batch}-${operation}`, hour, { operation })),
        usage(
          `${name}-${batch}-score`,
          hour,
          { operation: 'Score', mode: 'sync', quantities: { call: 1 } },
          { type: 'farthing.processing' },
        ),
      ]
      const submitted = await ingest.submit(
        raws.map((raw) => ({ raw })),
        undefined,
      )
      if (!submitted.ok) throw new Error(submitted.detail)
      for (const [at, { outcome }] of submitted.results.entries()) {
        const version = at + 2 > VERSIONS ? 5 : at + 2
        if (outcome !== 'held' && outcome !== 'accepted') throw new Error(outcome)
        counts[outcome]++
        // What was sent after a version was published is judged by it.
        if (outcome === 'held' && before >= version) counts.late++
      }
    }
    await ingest.close()
    await pool.end()
  }
  const writers = Array.from({ length: WRITERS }, (_, at) => writer(`w${at}`))
  for (let number = 2; number <= VERSIONS; number++) {
    await sleep(150)
    const answer = await publish(deployed, versionOf(number))
    expect(answer).toMatchObject({ outcome: 'published', version: number })
    now.published = number
  }
  await sleep(150)
  now.published = VERSIONS + 1
  await Promise.all(writers)

  expect(counts.late).toBe(0)
  expect(Math.min(counts.held, counts.accepted)).toBeGreaterThan(100)
  const { rows } = await deployed.pool.query(
    `select subject, newest, count(*)::int from judged
      where newest >= case subject when 'Score' then 5 else substr(subject, 6)::int end group by 1, 2`,
  )
  expect(rows).toEqual([])
})
