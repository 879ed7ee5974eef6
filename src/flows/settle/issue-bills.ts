import { hash } from 'node:crypto'
import type pg from 'pg'
import type { Draft } from '../../core/bill/draft-bill.ts'
import { issueBill } from '../../core/bill/issue-bill.ts'
import type { Hour } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import {
  copySettlement,
  type SettledBill,
  type SettledLevel,
  type SettledWithoutBill,
} from '../../store/bills-table.ts'
import { type AccountState, readAccountStates } from '../../store/queries/read-account-states.ts'
import { saveAccountStates } from '../../store/queries/save-account-states.ts'
import { type WithdrawLevels, withdrawLevels } from '../../store/queries/withdraw-levels.ts'
import { run } from '../../store/query.ts'
import { statementMonths } from '../accounts/statement-months.ts'
import type { AccountFacts } from './cycle-facts.ts'

/** What the bills of one transaction have in common. */
export interface BillingContext {
  readonly hour: Hour
  readonly priceVersion: number
  readonly currency: string
  readonly demo: boolean
  readonly late: boolean
  readonly issuedAt: Instant
}

/** An account's hour, decided: its draft is undefined when there is nothing to bill. */
export interface DraftedAccount {
  readonly facts: AccountFacts
  readonly draft: Draft | undefined
}

/** SHA-256 of a text, hexadecimal. */
export function sha256(text: string): string {
  return hash('sha256', text, 'hex')
}

/**
 * Give the drafts of some accounts their place in each account's sequence and chain, and store them with what they
 * bring in. The accounts' buckets are claimed, so nobody else issues to them.
 */
export async function issueBills(
  client: pg.PoolClient,
  context: BillingContext,
  drafted: readonly DraftedAccount[],
): Promise<void> {
  // An account without lines and without facts leaves no trace: the hour is not settled for it.
  const settled = drafted.filter(({ facts, draft }) => draft !== undefined || facts.count > 0)
  if (settled.length === 0) return
  const keys = settled.map(({ facts }) => facts)
  const stored = await run(client, readAccountStates, keys)
  const monthOf = await statementMonths(client, context.hour, keys)
  const states = new Map(stored.map((state) => [state.account, state]))
  const bills: SettledBill[] = []
  const withoutBill: SettledWithoutBill[] = []
  const levels: SettledLevel[] = []
  const withdrawn: WithdrawLevels[] = []
  const after = settled.map((account) => {
    const { bucket, account: name, eventsDigest } = account.facts
    const before = states.get(name) ?? { bucket, account: name, step: 0, sequence: 0, digest: null }
    const step = before.step + 1
    for (const level of account.facts.levels) levels.push({ bucket, account: name, step, level })
    const taken = account.facts.withdrawn
    if (taken.length > 0) withdrawn.push({ bucket, account: name, step, levels: taken })
    if (account.draft) {
      const billing = { ...context, statementMonth: monthOf(name) }
      const bill = billOf(billing, account.facts, account.draft, before)
      bills.push({ bucket, step, bill })
      return { ...before, step, sequence: bill.sequence, digest: bill.digest }
    }
    const { hour, priceVersion } = context
    withoutBill.push({ bucket, account: name, step, hour, priceVersion, eventsDigest })
    return { ...before, step }
  })
  await copySettlement(client, { bills, withoutBill, levels })
  for (const levelsOfAccount of withdrawn) await run(client, withdrawLevels, levelsOfAccount)
  await run(client, saveAccountStates, after)
}

interface Billing extends BillingContext {
  readonly statementMonth: string
}

function billOf(context: Billing, facts: AccountFacts, draft: Draft, before: AccountState) {
  const issue = {
    ...context,
    account: facts.account,
    eventsDigest: facts.eventsDigest,
    sequence: before.sequence + 1,
    previousDigest: before.digest,
  }
  return issueBill(issue, draft, sha256)
}
