import { setTimeout as sleep } from 'node:timers/promises'
import { remark } from '../../src/cli/terminal/terminal.ts'
import { endOf, type Hour, hourOf } from '../../src/core/time/hour.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import { sealHours } from '../../src/flows/settle/seal-hours.ts'
import { readWatermarks } from '../../src/flows/shared/read-deployment.ts'
import type { BenchOptions } from '../options.ts'
import type { Figure } from '../figures.ts'
import type { Part } from '../report.ts'
import { type Child, startChild } from '../run/child.ts'
import type { Cleanup } from '../run/cleanup.ts'
import { type ScratchServer, startScratchServer } from '../run/scratch-server.ts'
import type { FastHours, Sending, SentForLong } from './sender-process.ts'

/** Seconds of load unless told otherwise: half an hour. */
export const SUSTAINED_SECONDS = 1_800
/** So many hours pass while the load lasts: each is settled while the next ones come in. */
const HOURS = 12
/** About half of what two cores can take, settlement included. */
const BATCHES = { batch: 500, connections: 4, requestsPerSecond: 6 } as const
const SINGLES = { batch: 1, connections: 16, requestsPerSecond: 200 } as const
const ACCOUNTS = 500
const MEMORY_EVERY_MS = 1_000
const SETTLED_EVERY_MS = 50
const SETTLED_PATIENCE_MS = 600_000
/** An hour is sealed so long after it has passed. */
const GRACE_HOURS = 1

/**
 * Steady load from two keys, while one hour after the other is settled; then what was answered is compared with what is
 * on the bills, account by account.
 */
export async function benchSustained(options: BenchOptions, cleanup: Cleanup): Promise<readonly Part[]> {
  const seconds = options.seconds ?? SUSTAINED_SECONDS
  const firstHour = (hourOf(Date.now() as Instant) - HOURS - GRACE_HOURS - 2) as Hour
  const server = await startScratchServer(firstHour, cleanup)
  const farthing = startChild(new URL('../ingest/server-process.js', import.meta.url), cleanup)
  const url = await farthing.ask<string>('start', { dataDir: server.dataDir })
  const hours: FastHours = { firstHour, startedAt: Date.now(), hourMs: (seconds * 1000) / HOURS }
  const load = { url, accounts: ACCOUNTS, seconds, hours }
  remark(`sustained: ${seconds} s of load, in which ${HOURS} hours pass`)
  const keys = [server.adminKey, await makeKey(url, server.adminKey)] as const
  const sending = Promise.all([
    startSending({ ...load, ...BATCHES, key: keys[0] }, cleanup),
    startSending({ ...load, ...SINGLES, key: keys[1] }, cleanup),
  ])
  const memory = watchMemory(farthing, sending)
  // Whichever fails first is told; the others fail with it.
  for (const work of [sending, memory]) work.catch(() => undefined)
  const settleSeconds: number[] = []
  for (let index = 0; index < HOURS; index++) {
    await sleep(Math.max(0, hours.startedAt + (index + 1 + GRACE_HOURS) * hours.hourMs - Date.now()))
    settleSeconds.push(await haveSettled(server, (firstHour + index) as Hour))
    remark(`sustained: hour ${index + 1} of ${HOURS} is settled`)
  }
  const [batches, singles] = await sending
  await haveSettled(server, (firstHour + HOURS) as Hour)
  const { wrong, billed } = await compareBills(server, [batches, singles])
  const { firstHalf, secondHalf } = await memory
  const { p50, p99 } = singles.latencyMs
  return [
    {
      title: `${seconds} s of load from two keys, while ${HOURS} hours were settled`,
      figures: [
        one('events on bills', 'events', billed),
        one('events a second', 'events/s', billed / seconds),
        one('accounts with too few or too many', 'accounts', wrong, 'none'),
        one('events sent twice', 'events', batches.repeated + singles.repeated),
        one('answers that asked to come again', 'answers', batches.refused + singles.refused),
        one('one event a request, p50', 'ms', p50),
        one('one event a request, p99', 'ms', p99),
        one('p99 / p50', 'x', p99 / p50, 'under 10'),
        one('batches of 500, p50', 'ms', batches.latencyMs.p50),
        one('batches of 500, p99', 'ms', batches.latencyMs.p99),
        { name: 'from the sealing of an hour to its last bill', unit: 's', samples: settleSeconds },
        one('memory of Farthing, most in the first half', 'MiB', firstHalf),
        one('memory of Farthing, most in the second half', 'MiB', secondHalf, 'flat'),
      ],
    },
  ]
}

/**
 * Seal an hour, which is in the past of every clock, and wait until the server has settled it: beside what it takes in, as
 * it does for its users.
 * @returns how long that took, in seconds
 */
async function haveSettled({ pool }: ScratchServer, hour: Hour): Promise<number> {
  const from = performance.now()
  await sealHours(pool, Date.now() - endOf(hour))
  while ((await readWatermarks(pool)).settledUntil <= hour) {
    if (performance.now() - from > SETTLED_PATIENCE_MS) throw new Error(`hour ${hour} was not settled`)
    await sleep(SETTLED_EVERY_MS)
  }
  return (performance.now() - from) / 1000
}

function one(name: string, unit: string, value: number, target?: string): Figure {
  return { name, unit, samples: [value], ...(target === undefined ? {} : { target }) }
}

export async function startSending(sending: Sending, cleanup: Cleanup): Promise<SentForLong> {
  const sender = startChild(new URL('./sender-process.js', import.meta.url), cleanup)
  try {
    return await sender.ask<SentForLong>('send', sending)
  } finally {
    await sender.end()
  }
}

/** A second key, of another sender. */
export async function makeKey(url: string, adminKey: string): Promise<string> {
  const answer = await fetch(`${url}/v1/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'bench', scopes: ['usage:write'] }),
  })
  if (answer.status !== 201) throw new Error(`no key: ${await answer.text()}`)
  return ((await answer.json()) as { key: string }).key
}

/** The most memory of both halves of some work, looked at once a second. */
async function watchMemory(
  farthing: Child,
  work: Promise<unknown>,
): Promise<{ readonly firstHalf: number; readonly secondHalf: number }> {
  const seen: number[] = []
  const state = { isDone: false }
  const done = () => {
    state.isDone = true
  }
  work.then(done, done)
  while (!state.isDone) {
    await sleep(MEMORY_EVERY_MS)
    seen.push(await farthing.ask<number>('rssMib'))
  }
  const middle = seen.length >> 1
  return { firstHalf: Math.max(...seen.slice(0, middle)), secondHalf: Math.max(...seen.slice(middle)) }
}

/** What was answered, held against what is on the bills. @returns how many accounts differ, and all billed events */
async function compareBills(
  { pool }: ScratchServer,
  all: readonly SentForLong[],
): Promise<{ readonly wrong: number; readonly billed: number }> {
  const { rows } = await pool.query<{ account: string; calls: string }>(
    'select account, sum(quantity)::text as calls from bill_line group by account',
  )
  const billed = new Map(rows.map(({ account, calls }) => [account, Number(calls)]))
  const accounts = new Set([...billed.keys(), ...all.flatMap(({ events }) => Object.keys(events))])
  const wrong = [...accounts].filter((account) => {
    const answered = all.reduce((sum, { events }) => sum + (events[account] ?? 0), 0)
    return billed.get(account) !== answered
  })
  return { wrong: wrong.length, billed: [...billed.values()].reduce((a, b) => a + b, 0) }
}
