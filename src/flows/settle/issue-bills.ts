import type pg from 'pg'
import type { Draft } from '../../core/bill/draft-bill.ts'
import { issueBill } from '../../core/bill/issue-bill.ts'
import type { Hour } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import { Settlement } from '../../store/bills-table.ts'
import {
  type AccountState,
  listAccountStates,
  type SettledAccount,
  updateAccountStates,
} from '../../store/settled-hours.ts'
import { type UpdateWithdrawnLevels, updateWithdrawnLevels } from '../../store/restated-levels.ts'
import type { StorageSeries } from '../../store/storage-series.ts'
import { updateStorageTotals } from '../../store/storage-totals.ts'
import { drawChunk } from '../../store/log-pending.ts'
import { run, runOne } from '../../store/query.ts'
import type { AccountPricing } from '../accounts/account-pricing.ts'
import { statementMonths } from '../accounts/statement-months.ts'
import { sha256 } from '../shared/sha256.ts'
import { settlingTurns } from '../shared/thread-turns.ts'
import type { AccountFacts } from './cycle-facts.ts'
import { IssuedLeaves } from './issued-leaves.ts'

/** Lines that wait to be stored, about: where stored data gets a price, each account may have one for each past hour. */
const LINES_TOGETHER = 50_000

/** What the bills of one transaction have in common. */
export interface BillingContext {
  readonly hour: Hour
  readonly priceVersion: number
  readonly currency: string
  readonly demo: boolean
  readonly late: boolean
  readonly issuedAt: Instant
  /** Of the accounts that are billed. */
  readonly pricing: AccountPricing
}

/** The lines of an account's hour; undefined when there is nothing to bill. */
export type DraftOf = (facts: AccountFacts, pricing: AccountPricing) => Promise<Draft | undefined>

/**
 * Make the bills of some accounts, give each its place in the account's sequence and chain, and store them with what
 * they bring in. The accounts' buckets are claimed, so nobody else issues to them. Each bill becomes rows at once: what is
 * kept until it is stored is bytes.
 * @returns the accounts that the hour is settled for: all but those without lines and without facts
 */
export async function issueBills(
  client: pg.PoolClient,
  context: BillingContext,
  accounts: readonly AccountFacts[],
  draftOf: DraftOf,
): Promise<readonly SettledAccount[]> {
  if (accounts.length === 0) return []
  const states = new Map(
    (await run(client, listAccountStates, accounts)).map((state) => [state.account, state]),
  )
  const monthOf = await statementMonths(client, context.hour, accounts)
  const leaves = new IssuedLeaves((await runOne(client, drawChunk, undefined))!, context.hour)
  let settlement = new Settlement()
  const withdrawn: UpdateWithdrawnLevels[] = []
  const touched: StorageSeries[] = []
  const after: AccountState[] = []
  for (const facts of accounts) {
    if (settlement.lines >= LINES_TOGETHER) {
      await settlement.copyInto(client)
      settlement = new Settlement()
    }
    const turn = settlingTurns.isOver()
    if (turn) await turn
    const draft = await draftOf(facts, context.pricing)
    // An account without lines and without facts leaves no trace: the hour is not settled for it.
    if (draft === undefined && facts.count === 0) continue
    const { bucket, account } = facts
    const before = states.get(account) ?? { bucket, account, step: 0, sequence: 0, digest: null }
    const step = before.step + 1
    if (draft) context.pricing.move(facts, draft.positions)
    for (const level of facts.levels) settlement.addLevel({ bucket, account, step, level })
    for (const level of [...facts.levels, ...facts.withdrawn]) touched.push({ ...level, bucket, account })
    if (facts.withdrawn.length > 0) withdrawn.push({ bucket, account, step, levels: facts.withdrawn })
    after.push(
      issue({ settlement, leaves }, { ...context, statementMonth: monthOf(account) }, facts, draft, {
        ...before,
        step,
      }),
    )
  }
  if (after.length === 0) return []
  await settlement.copyInto(client)
  await leaves.insertInto(client)
  for (const levels of withdrawn) await run(client, updateWithdrawnLevels, levels)
  await context.pricing.save(client)
  if (touched.length > 0) await run(client, updateStorageTotals, touched)
  await run(client, updateAccountStates, after)
  return after
}

interface Billing extends BillingContext {
  readonly statementMonth: string
}

/** Where what is issued goes. */
interface Issued {
  readonly settlement: Settlement
  readonly leaves: IssuedLeaves
}

/** @returns the account's state, of the step that this is, with the bill */
function issue(
  { settlement, leaves }: Issued,
  billing: Billing,
  facts: AccountFacts,
  draft: Draft | undefined,
  state: AccountState,
): AccountState {
  const { bucket, step } = state
  if (draft) {
    const bill = billOf(billing, facts, draft, state)
    settlement.addBill({ bucket, step, bill })
    leaves.addBill(bill)
    return { ...state, sequence: bill.sequence, digest: bill.digest }
  }
  const { hour, priceVersion } = billing
  const { account, eventsDigest } = facts
  const without = { account, step, hour, priceVersion, eventsDigest }
  settlement.addHourWithoutBill({ ...without, bucket, chunk: leaves.chunk })
  leaves.addHourWithoutBill(without)
  return state
}

function billOf(context: Billing, facts: AccountFacts, draft: Draft, before: AccountState) {
  const { pricing: _, ...issued } = context
  const issue = {
    ...issued,
    account: facts.account,
    eventsDigest: facts.eventsDigest,
    sequence: before.sequence + 1,
    previousDigest: before.digest,
  }
  return issueBill(issue, draft, sha256)
}
