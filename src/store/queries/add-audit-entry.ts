import type { Query } from '../query.ts'

/** What people and keys do that changes what is billed, or who may do what. */
export const ACTS = [
  'account/put',
  'database/restore',
  'event/void',
  'key/make',
  'key/revoke',
  'price-book/publish',
  'settle/clock-is-right',
  'settle/now',
] as const
export type Act = (typeof ACTS)[number]

export interface AuditEntry {
  /** The id of the key; or the local command, with the user of the machine: `cli:maria`. */
  readonly actor: string
  readonly act: Act
  /** The only account that it concerns; null: all. */
  readonly account: string | null
  /** One line for people: what it was done to, and with what. */
  readonly detail: string
}

/** Note an act, in the transaction that carries it out: what is rolled back leaves no entry. */
export const addAuditEntry: Query<AuditEntry, never, void> = {
  name: 'add_audit_entry',
  text: `insert into audit_entry (actor, act, account, detail) values ($1, $2, $3, $4)`,
  values: ({ actor, act, account, detail }) => [actor, act, account, detail],
  decode: () => undefined,
}
