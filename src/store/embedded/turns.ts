import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createNoLink, makeDirectoryNoLink } from './no-links.ts'
import { isAlive, newIdentity } from './process-identity.ts'

const POLL_MS = 20
const CHOOSING = 'choosing'

/**
 * Run `work` while no other process on this machine does so for the same directory.
 *
 * Lamport's bakery, with files named `<number>@<identity>` as tickets: the lowest living ticket has its turn.
 * A killed holder needs no cleaning up, since its identity is not alive; and there is no stale lock whose
 * removal could hit the next holder's, which is what lock files without `flock` (node has none) suffer from.
 *
 * @param signal ends the wait: then it throws, without having run `work`
 * @returns undefined, without having run `work`, when the turn did not come within `patienceMs`
 */
export async function inTurn<T>(
  dir: string,
  patienceMs: number,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T | undefined> {
  makeDirectoryNoLink(dir)
  const me = newIdentity()
  const ticket = `${takeNumber(dir, me)}@${me}`
  const deadline = Date.now() + patienceMs
  try {
    while (!isFirst(dir, ticket)) {
      signal?.throwIfAborted()
      if (Date.now() > deadline) return undefined
      await sleep(POLL_MS)
    }
    return await work()
  } finally {
    rmSync(join(dir, ticket), { force: true })
  }
}

/** One more than every number in sight. While it is being chosen a marker makes the others wait for it. */
function takeNumber(dir: string, me: string): number {
  const choosing = join(dir, `${CHOOSING}@${me}`)
  createNoLink(choosing)
  const numbers = tickets(dir).map(({ number }) => number)
  const mine = Math.max(0, ...numbers.filter(Number.isFinite)) + 1
  createNoLink(join(dir, `${mine}@${me}`))
  rmSync(choosing, { force: true })
  return mine
}

/**
 * The two looks must be in this order: a listing is not a snapshot, so a ticket that replaces its marker during
 * the first one could be missed by it, but never by the second.
 */
function isFirst(dir: string, ticket: string): boolean {
  const mine = parse(ticket)
  if (tickets(dir).some(({ number, owner }) => Number.isNaN(number) && owner !== mine.owner)) return false
  return !tickets(dir).some(
    ({ number, owner }) => number < mine.number || (number === mine.number && owner < mine.owner),
  )
}

interface Ticket {
  /** NaN while it is being chosen. */
  readonly number: number
  readonly owner: string
}

function parse(name: string): Ticket {
  const [number = '', owner = ''] = name.split('@')
  return { number: number === CHOOSING ? Number.NaN : Number(number), owner }
}

/** The tickets of living processes. Those of the dead are removed: an identity never comes back. */
function tickets(dir: string): Ticket[] {
  return readdirSync(dir).flatMap((name) => {
    const ticket = parse(name)
    if (isAlive(ticket.owner)) return [ticket]
    rmSync(join(dir, name), { force: true })
    return []
  })
}
