import type pg from 'pg'
import type { Bill } from '../../core/bill/bill.ts'
import { ENTRY, type HourWithoutBill, hourWithoutBillText } from '../../core/log/entry.ts'
import { compareBytes } from '../../core/text/well-formed.ts'
import type { Hour } from '../../core/time/hour.ts'
import { insertPendingLeaves } from '../../store/log-pending.ts'
import { run } from '../../store/query.ts'
import { sha256 } from '../shared/sha256.ts'

/** What a chunk of an hour adds to the log: a leaf a bill, and one for all of its hours without a bill. */
export class IssuedLeaves {
  /** Its number, drawn after the buckets were claimed. */
  readonly chunk: number
  readonly #hour: Hour
  readonly #accounts: string[] = []
  readonly #sequences: number[] = []
  readonly #digests: string[] = []
  readonly #without: HourWithoutBill[] = []

  constructor(chunk: number, hour: Hour) {
    this.chunk = chunk
    this.#hour = hour
  }

  addBill({ account, sequence, digest }: Pick<Bill, 'account' | 'sequence' | 'digest'>): void {
    this.#accounts.push(account)
    this.#sequences.push(sequence)
    this.#digests.push(digest)
  }

  addHourWithoutBill(one: HourWithoutBill): void {
    this.#without.push(one)
  }

  /** Note them, in the transaction that issues them. */
  async insertInto(client: pg.PoolClient): Promise<void> {
    const common = { chunk: this.chunk, hour: this.#hour }
    if (this.#accounts.length > 0) {
      const digests = Buffer.from(this.#digests.join(''), 'hex')
      const leaves = { accounts: this.#accounts, numbers: this.#sequences, digests }
      await run(client, insertPendingLeaves, { ...common, kind: ENTRY.bill, ...leaves })
    }
    if (this.#without.length > 0) {
      const digests = Buffer.from(digestOfHours(this.#without), 'hex')
      const leaf = { accounts: [''], numbers: [this.chunk], digests }
      await run(client, insertPendingLeaves, { ...common, kind: ENTRY.hoursWithoutBill, ...leaf })
    }
  }
}

/** One digest of the hours without a bill of a chunk, hexadecimal: by account. */
export function digestOfHours(hours: readonly HourWithoutBill[]): string {
  return sha256(
    hours
      .toSorted((one, other) => compareBytes(one.account, other.account))
      .map(hourWithoutBillText)
      .join(''),
  )
}
