import type pg from 'pg'
import type { UsageEvent } from '../../core/ingest/event.ts'
import { ACCOUNT_BYTES_MAX } from '../../core/ingest/read-text.ts'
import { reject, type Rejection } from '../../core/ingest/rejection.ts'
import { refuseText } from '../../core/text/well-formed.ts'
import { formatInstant, type Instant } from '../../core/time/instant.ts'
import { findKnownAccounts, listClosedAccounts } from '../../store/accounts.ts'
import { run, runOne } from '../../store/query.ts'

/** Whose usage is taken: anybody's, or that of accounts that somebody has made known (FARTHING_ACCOUNTS). */
export const TAKEN_ACCOUNTS = ['any', 'known'] as const
export type TakenAccounts = (typeof TAKEN_ACCOUNTS)[number]

/** Accounts that are remembered as known: some 10 MB. One that is known stays so, and the oldest answers go first. */
export const KNOWN_ACCOUNTS_KEPT = 100_000

/** What one group of events is judged by. */
export interface AccountRules {
  /** How often accounts had been closed or opened: what the gate compares. */
  readonly version: number
  /** Why usage of this account and time is not taken; undefined: it is. */
  refuse(event: Pick<UsageEvent, 'account' | 'at'>): Rejection | undefined
  /** The first instant at which usage of the account is refused; undefined: it is open. */
  closedAt(account: string): Instant | undefined
}

/** What a process knows about accounts. */
export interface AccountMemory {
  /** Learn what was closed and opened since it looked last. */
  refresh(): Promise<void>
  /** The rules for events of these accounts. Those that are not known to be known are asked for, all at once. */
  rulesFor(accounts: Iterable<string>): Promise<AccountRules>
}

/** Starts empty: `refresh` comes first. */
export function makeAccountMemory(pool: pg.Pool, taken: TakenAccounts): AccountMemory {
  const known = new Set<string>()
  const closed = new Map<string, Instant>()
  let version = 0

  async function refresh(): Promise<void> {
    const changes = await runOne(pool, listClosedAccounts, { since: version })
    // Another refresh, which began later, may have ended before.
    if (!changes || changes.version < version) return
    for (const { account, closedAt } of changes.accounts) {
      if (closedAt === null) closed.delete(account)
      else closed.set(account, closedAt)
    }
    version = changes.version
  }

  async function unknownOf(accounts: Iterable<string>): Promise<ReadonlySet<string>> {
    const unknown = new Set<string>()
    if (taken === 'any') return unknown
    for (const account of accounts) if (!known.has(account) && isAccount(account)) unknown.add(account)
    if (unknown.size === 0) return unknown
    for (const account of await run(pool, findKnownAccounts, [...unknown])) {
      unknown.delete(account)
      known.add(account)
      if (known.size > KNOWN_ACCOUNTS_KEPT) known.delete(known.values().next().value!)
    }
    return unknown
  }

  async function rulesFor(accounts: Iterable<string>): Promise<AccountRules> {
    const unknown = await unknownOf(accounts)
    // From here on nothing waits, so that the closings are those of the version.
    return {
      version,
      closedAt: (account) => closed.get(account),
      refuse: ({ account, at }) => {
        if (unknown.has(account)) return UNKNOWN
        const closedAt = closed.get(account)
        return closedAt !== undefined && at >= closedAt ? refuseClosed(closedAt) : undefined
      },
    }
  }

  return { refresh, rulesFor }
}

const UNKNOWN = reject(
  'event/unknown_account',
  'subject is no known account: make it known with PUT /v1/accounts, or correct it.',
)

function refuseClosed(closedAt: Instant): Rejection {
  const detail = `The account is closed since ${formatInstant(closedAt)}: send usage of before, or open it.`
  return reject('event/account_closed', detail)
}

/** Can it be the name of an account at all? What cannot be stored cannot be asked for either. */
function isAccount(text: string): boolean {
  return text.length <= ACCOUNT_BYTES_MAX && refuseText(text) === undefined
}
