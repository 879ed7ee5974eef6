import type { SettlementSummary } from '../core/log/entry.ts'
import type { Hour } from '../core/time/hour.ts'
import type { Query } from './query.ts'

interface Raw extends Omit<SettlementSummary, 'lines'> {
  readonly lines: string
}

/** Counts and exact sums of the bills of a live hour, without those that backfill brought: a range of the key. */
export const findSettledSums: Query<{ readonly hour: Hour }, Raw, SettlementSummary> = {
  name: 'find_settled_sums',
  text: `
    select $1::int as hour, (select currency from deployment) as currency,
           count(*)::int as bills, coalesce(sum(lines), 0) as lines,
           trim_scale(coalesce(sum(total), 0)) as total, trim_scale(coalesce(sum(request), 0)) as request,
           trim_scale(coalesce(sum(processing), 0)) as processing, trim_scale(coalesce(sum(storage), 0)) as storage
      from bill
     where hour = $1 and not late`,
  values: ({ hour }) => [hour],
  decode: ({ lines, ...raw }) => ({ ...raw, lines: Number(lines) }),
}

export interface KeptSummary {
  readonly hour: Hour
  /** RFC 8785. */
  readonly text: string
}

export const insertSettlementSummary: Query<KeptSummary, never, void> = {
  name: 'insert_settlement_summary',
  text: `insert into settlement_summary (hour, text) values ($1, $2)`,
  values: ({ hour, text }) => [hour, text],
  decode: () => undefined,
}
