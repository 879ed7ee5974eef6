import { setTimeout as sleep } from 'node:timers/promises'
import { remark } from '../../src/cli/terminal/terminal.ts'
import { type Hour, hourOf } from '../../src/core/time/hour.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import type { Figure } from '../figures.ts'
import type { BenchOptions } from '../options.ts'
import type { Part } from '../report.ts'
import { type Child, startChild } from '../run/child.ts'
import type { Cleanup } from '../run/cleanup.ts'
import { startScratchServer } from '../run/scratch-server.ts'
import type { Flooded } from './flood-process.ts'
import { type Flood, FLOODS } from './floods.ts'
import { memoryMib } from './memory.ts'
import type { QuietLatencies } from './quiet-process.ts'

/** Of each flood, and of the quiet key alone; a short form of a few seconds: `--seconds 5`. */
export const FLOOD_SECONDS = 30
/** Events in the open hour of the key that floods, for its questions. */
const OPEN_EVENTS = 100_000
const BATCH = 5_000
const WARM_SECONDS = 2
const MEMORY_EVERY_MS = 500

/** The aims: what the quiet key may notice, and what all processes may take. */
const P99_MS_MAX = 100
const P99_TIMES_MAX = 20
const HEALTHZ_MS_MAX = 250
const MEMORY_MIB_MAX = 700

interface Stage {
  readonly url: string
  readonly quiet: { readonly key: string; readonly account: string }
  readonly flooder: { readonly key: string; readonly account: string }
  readonly seconds: number
  readonly memory: () => number
}

/** What a flood of one key, or of strangers, does to the answers of another key. */
export async function benchFloods(options: BenchOptions, cleanup: Cleanup): Promise<readonly Part[]> {
  const server = await startScratchServer((hourOf(Date.now() as Instant) - 1) as Hour, cleanup)
  const farthing = startChild(new URL('../ingest/server-process.js', import.meta.url), cleanup)
  const url = await farthing.ask<string>('start', { dataDir: server.dataDir })
  const pids = [await farthing.ask<number>('pid'), server.serverPid]
  const stage: Stage = {
    url,
    quiet: await boundKey(url, server.adminKey, 'quiet'),
    flooder: await boundKey(url, server.adminKey, 'flooder'),
    seconds: options.seconds ?? FLOOD_SECONDS,
    memory: () => memoryMib(pids),
  }
  remark('floods: the open hour of the other key is filled')
  await fillHour(stage, options.events ?? OPEN_EVENTS)
  await measureQuiet({ ...stage, seconds: WARM_SECONDS }, cleanup)
  remark(`floods: the quiet key alone, ${stage.seconds} s`)
  const alone = await watched(stage, () => measureQuiet(stage, cleanup))
  const parts: Part[] = [partOf('alone', alone, undefined)]
  for (const flood of FLOODS) {
    remark(`floods: ${flood}, ${stage.seconds} s`)
    const { result, ...rest } = await watched(stage, () => beside(flood, stage, cleanup))
    remark(`floods: ${flood} were answered ${JSON.stringify(result.flooded)}`)
    parts.push(partOf(`beside ${flood}`, { ...rest, result: result.quiet }, alone.result))
  }
  return parts
}

async function beside(
  flood: Flood,
  { url, flooder, ...stage }: Stage,
  cleanup: Cleanup,
): Promise<{ readonly quiet: QuietLatencies; readonly flooded: Flooded }> {
  const process = startChild(new URL('./flood-process.js', import.meta.url), cleanup)
  try {
    const flooding = process.ask<Flooded>('flood', { flood, url, ...flooder, seconds: stage.seconds + 1 })
    flooding.catch(() => undefined)
    await sleep(500)
    const quiet = await measureQuiet({ url, flooder, ...stage }, cleanup)
    return { quiet, flooded: await flooding }
  } finally {
    await process.end()
  }
}

async function measureQuiet({ url, quiet, seconds }: Stage, cleanup: Cleanup): Promise<QuietLatencies> {
  const child: Child = startChild(new URL('./quiet-process.js', import.meta.url), cleanup)
  try {
    return await child.ask<QuietLatencies>('measure', { url, ...quiet, seconds })
  } finally {
    await child.end()
  }
}

interface Watched<Result> {
  readonly result: Result
  readonly memoryMib: number
}

/** The most memory during some work. */
async function watched<Result>({ memory }: Stage, work: () => Promise<Result>): Promise<Watched<Result>> {
  let most = memory()
  const timer = setInterval(() => {
    most = Math.max(most, memory())
  }, MEMORY_EVERY_MS)
  try {
    return { result: await work(), memoryMib: most }
  } finally {
    clearInterval(timer)
  }
}

function partOf(
  title: string,
  { result, memoryMib: mib }: Watched<QuietLatencies>,
  alone: QuietLatencies | undefined,
): Part {
  const { eventsMs, questionsMs, healthzMaxMs, refused } = result
  const aim = (p99: number | undefined) => {
    return p99 === undefined ? undefined : `under ${Math.round(Math.max(P99_MS_MAX, P99_TIMES_MAX * p99))}`
  }
  const figures = [
    figure('events, p50', 'ms', eventsMs.p50),
    figure('events, p99', 'ms', eventsMs.p99, aim(alone?.eventsMs.p99)),
    figure('questions, p50', 'ms', questionsMs.p50),
    figure('questions, p99', 'ms', questionsMs.p99, aim(alone?.questionsMs.p99)),
    figure('requests that were refused', 'answers', refused, 'none'),
    figure('/healthz, slowest', 'ms', healthzMaxMs, `under ${HEALTHZ_MS_MAX}`),
    figure('memory of all processes, most', 'MiB', mib, `under ${MEMORY_MIB_MAX}`),
  ]
  return { title: `50 events and a question a second of a quiet key, ${title}`, figures }
}

function figure(name: string, unit: string, value: number, target?: string): Figure {
  return { name, unit, samples: [value], ...(target === undefined ? {} : { target }) }
}

async function boundKey(url: string, adminKey: string, account: string) {
  const answer = await post(`${url}/v1/keys`, adminKey, {
    name: account,
    scopes: ['usage:write', 'usage:read'],
    account,
  })
  return { key: ((await answer.json()) as { key: string }).key, account }
}

async function fillHour({ url, flooder }: Stage, count: number): Promise<void> {
  const { key, account } = flooder
  for (let sent = 0; sent < count; sent += BATCH) {
    const events = Array.from({ length: Math.min(BATCH, count - sent) }, (_, index) => ({
      specversion: '1.0',
      id: `open-${sent + index}`,
      source: 'bench/open',
      type: 'farthing.request',
      subject: account,
      time: new Date().toISOString(),
      data: { operation: 'SimpleQuery', status: 200 },
    }))
    await post(`${url}/v1/events`, key, events)
  }
}

async function post(url: string, key: string, value: unknown): Promise<Response> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(value) })
  if (!answer.ok) throw new Error(`${url}: ${await answer.text()}`)
  return answer
}
