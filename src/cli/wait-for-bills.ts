import { setTimeout as sleep } from 'node:timers/promises'
import { MILLISECONDS_PER_HOUR } from '../core/time/hour.ts'
import type { EventLine } from './event-lines.ts'
import type { ServerApi } from './server-api.ts'

/** Account-hours that are remembered: of more, the later ones are not waited for. */
const TRACKED_MAX = 100_000
/** Asking again costs the server little, and nobody notices a second. */
const POLL_MS = 1_000
/** When nothing new is issued for this long, what is left has no bill: hours without a fee have none. */
const PATIENCE_MS = 60_000

/** The account-hours of what was imported, so that their bills can be waited for. */
export class ImportedHours {
  readonly #accounts = new Map<string, Set<number>>()
  #size = 0

  /** Note whose usage of which hour a line is, as far as it says so: the server has the last word. */
  add({ bytes }: EventLine): void {
    if (bytes === undefined || this.#size === TRACKED_MAX) return
    const place = placeOf(bytes)
    if (!place) return
    const hours = this.#accounts.get(place.account) ?? new Set<number>()
    this.#accounts.set(place.account, hours)
    if (!hours.has(place.hour)) this.#size += 1
    hours.add(place.hour)
  }

  /** Those that ended long enough ago to be history: bills of live hours come when their grace is over. */
  past(nowMs: number): ReadonlyMap<string, ReadonlySet<number>> {
    const first = Math.floor(nowMs / MILLISECONDS_PER_HOUR) - 1
    const past = [...this.#accounts].map(([account, hours]) => {
      return [account, new Set([...hours].filter((hour) => hour < first))] as const
    })
    return new Map(past.filter(([, hours]) => hours.size > 0))
  }
}

function placeOf(bytes: Buffer): { readonly account: string; readonly hour: number } | undefined {
  try {
    const { subject, time } = JSON.parse(bytes.toString()) as { subject?: unknown; time?: unknown }
    const at = typeof time === 'string' ? Date.parse(time) : Number.NaN
    if (typeof subject !== 'string' || Number.isNaN(at)) return undefined
    return { account: subject, hour: Math.floor(at / MILLISECONDS_PER_HOUR) }
  } catch {
    return undefined
  }
}

export interface Waited {
  /** Account-hours with a bill. */
  readonly billed: number
  /** Account-hours without one: nothing in them has a fee, or their bills are still to come. */
  readonly without: number
}

export interface WaitOptions {
  readonly signal: AbortSignal
  readonly onProgress: (waited: Waited) => void
}

/** Wait until the imported hours that are past have their bills, or no more come. */
export async function waitForBills(
  api: ServerApi,
  imported: ImportedHours,
  { signal, onProgress }: WaitOptions,
): Promise<Waited> {
  const open = new Map([...imported.past(Date.now())].map(([account, hours]) => [account, new Set(hours)]))
  let billed = 0
  let changedAt = performance.now()
  for (;;) {
    for (const [account, hours] of open) {
      const issued = await findIssued(api, account, hours)
      for (const hour of issued) hours.delete(hour)
      if (issued.length > 0) changedAt = performance.now()
      billed += issued.length
      if (hours.size === 0) open.delete(account)
      signal.throwIfAborted()
    }
    const waited = { billed, without: [...open.values()].reduce((sum, hours) => sum + hours.size, 0) }
    onProgress(waited)
    if (open.size === 0 || performance.now() - changedAt > PATIENCE_MS) return waited
    await sleep(POLL_MS, undefined, { signal })
  }
}

async function findIssued(
  api: ServerApi,
  account: string,
  hours: ReadonlySet<number>,
): Promise<readonly number[]> {
  const sorted = [...hours].sort((a, b) => a - b)
  const query = { account, from: timeOf(sorted[0]!), to: timeOf(sorted.at(-1)! + 1) }
  const issued: number[] = []
  for await (const bill of api.list<{ readonly cycle: { readonly from: string } }>('/v1/bills', query)) {
    const hour = Date.parse(bill.cycle.from) / MILLISECONDS_PER_HOUR
    if (hours.has(hour)) issued.push(hour)
  }
  return issued
}

function timeOf(hour: number): string {
  return new Date(hour * MILLISECONDS_PER_HOUR).toISOString()
}
