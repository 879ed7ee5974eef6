import type pg from 'pg'
import type { Hour } from '../../src/core/time/hour.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import type { AccountChange } from '../../src/flows/accounts/refuse-account.ts'
import { endLevels } from '../../src/flows/settle/end-levels.ts'
import { putAccount } from '../../src/flows/accounts/put-account.ts'
import { listAccountLists } from '../../src/store/price-lists.ts'
import { run } from '../../src/store/query.ts'
import type { Put } from './closings.ts'
import { ProcessDied } from './dying-pool.ts'

/** What is known of an account when an event is sent, or answered. */
export interface AccountNews {
  /** The earliest closing, in milliseconds since 1970; Infinity: there is none. */
  readonly closedAt: number
  readonly isKnown: boolean
}

export interface Registrar {
  /** Say something about an account, until there is an answer. */
  put(put: Put): Promise<void>
  /** What has been answered. */
  answered(account: string): AccountNews
  /** What was answered, or may be in force without an answer. */
  begun(account: string): AccountNews
  /** When accounts are closed, of all that are. */
  closings(): ReadonlyMap<string, number>
}

const NO_NEWS: AccountNews = { closedAt: Infinity, isKnown: false }

/** Keeps the books of what was said about accounts. */
export function registrar(pool: pg.Pool): Registrar {
  const answered = new Map<string, AccountNews>()
  const begun = new Map<string, AccountNews>()
  return {
    async put(put) {
      learn(begun, put)
      if (!(await untilAnswered(pool, put))) return
      learn(answered, put)
      // As the route does, in the process that may die over it.
      await endLevels({ pool, account: put.account, stopping: () => false }).catch(onlyDeaths)
    },
    answered: (account) => answered.get(account) ?? NO_NEWS,
    begun: (account) => begun.get(account) ?? NO_NEWS,
    closings: () =>
      new Map(
        [...answered]
          .filter(([, { closedAt }]) => closedAt < Infinity)
          .map(([account, { closedAt }]) => [account, closedAt]),
      ),
  }
}

function learn(news: Map<string, AccountNews>, { account, closedAt = Infinity }: Put): void {
  const before = news.get(account) ?? NO_NEWS
  news.set(account, { isKnown: true, closedAt: Math.min(before.closedAt, closedAt) })
}

/** A time that has not come by the database's clock, or that has begun; and an entry that is there, of an answer that was lost. */
const MAY_BE_REFUSED: ReadonlySet<string> = new Set([
  'account/closed_in_future',
  'account/price_list_begun',
  'account/invalid_price_lists',
])

/** As a client does that adds an entry to those that it has read. */
async function changeOf(pool: pg.Pool, { account, closedAt, priceList }: Put): Promise<AccountChange> {
  if (priceList === undefined) {
    return closedAt === undefined ? { name: account } : { closedAt: closedAt as Instant }
  }
  const before = await run(pool, listAccountLists, [account])
  return { priceLists: [...before, { list: priceList.list, from: priceList.from as Hour | undefined }] }
}

/** @returns false: it is refused, because its time has not come by the database's clock, or has begun */
async function untilAnswered(pool: pg.Pool, put: Put): Promise<boolean> {
  for (;;) {
    try {
      const answer = await putAccount(pool, 'key_test', put.account, await changeOf(pool, put))
      if (!answer.ok && !MAY_BE_REFUSED.has(answer.code)) throw new Error(answer.detail)
      return answer.ok
    } catch (error) {
      onlyDeaths(error)
    }
  }
}

function onlyDeaths(error: unknown): void {
  if (!(error instanceof ProcessDied)) throw error
}
