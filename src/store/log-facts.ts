import type { EntryType } from '../core/log/entry.ts'
import type { HourWithoutBill } from '../core/log/entry.ts'
import type { Hour } from '../core/time/hour.ts'
import type { ListLeaves } from './log-leaves.ts'
import type { Query } from './query.ts'

/** A leaf beside what it is of. */
export interface LeafOfFact {
  readonly index: number
  readonly kind: EntryType
  readonly account: string
  readonly hour: Hour | null
  readonly number: number | null
  readonly digest: Buffer
  readonly entry: Buffer
  readonly salt: Buffer | null
  /** What the fact says now: of a bill, price version, audit entry; the text of a summary or a continuation; null: it is gone. */
  readonly factDigest: Buffer | null
  readonly factText: string | null
}

interface RawLeaf extends Omit<LeafOfFact, 'index' | 'number'> {
  readonly index: string
  readonly number: string | null
}

/**
 * Leaves of a tree by index, each with what its fact is now. Bills by the index bill_account, the others by their keys. Hours
 * without a bill are looked up apart.
 */
export const listLeavesOfFacts: Query<ListLeaves, RawLeaf, LeafOfFact> = {
  name: 'list_leaves_of_facts',
  text: `
    select l.index, l.kind, l.account, l.hour, l.number, l.digest, l.entry, s.salt,
           case l.kind
             when 1 then (select b.digest from bill b
                           where b.account = l.account and b.hour = l.hour and b.sequence = l.number)
             when 4 then price_version_digest(l.number::int)
             when 5 then (select audit_digest(e.number, e.at, e.actor, e.act, e.account, e.detail)
                            from audit_entry e where e.number = l.number)
           end as "factDigest",
           case l.kind
             when 6 then (select m.text from settlement_summary m where m.hour = l.hour)
             when 7 then (select t.continues from log_tree t where t.tree = l.tree)
           end as "factText"
      from log_leaf l
      left join log_salt s on s.account = l.account
     where l.tree = $1 and l.index >= $2 and l.index < $3
     order by l.index`,
  values: ({ tree, from, to }) => [tree, from, to],
  decode: ({ index, number, ...raw }) => ({
    ...raw,
    index: Number(index),
    number: number === null ? null : Number(number),
  }),
}

interface RawHour {
  readonly account: string
  readonly hour: Hour
  readonly step: string
  readonly price_version: number
  readonly events_digest: string
}

/** The hours without a bill of a chunk; null: those from before the log. By a range of the key. */
export const listHoursOfChunk: Query<
  { readonly hour: Hour; readonly chunk: number | null },
  RawHour,
  HourWithoutBill
> = {
  name: 'list_hours_of_chunk',
  text: `
    select account, hour, step, price_version, encode(events_digest, 'hex') as events_digest
      from settled_hour
     where hour = $1 and chunk is not distinct from $2`,
  values: ({ hour, chunk }) => [hour, chunk],
  decode: (raw) => ({
    account: raw.account,
    hour: raw.hour,
    step: Number(raw.step),
    priceVersion: raw.price_version,
    eventsDigest: raw.events_digest,
  }),
}

/** Something that was issued and has no leaf, and none waits for it. */
export interface FactWithoutLeaf {
  readonly what: string
}

/** Bills, price versions, audit entries, summaries and hours without a bill that are not in the log, and do not wait. */
export const listFactsWithoutLeaf: Query<{ readonly limit: number }, FactWithoutLeaf, string> = {
  name: 'list_facts_without_leaf',
  text: `
    with waits as (
           select p.kind, p.hour, k.account, k.number
             from log_pending p, unnest(p.accounts, p.numbers) as k (account, number)),
         missing as (
           select 'bill ' || b.sequence || ' of account ' || b.account as what
             from bill b
            where not exists (select from log_leaf l
                               where l.kind = 1 and l.account = b.account and l.hour = b.hour and l.number = b.sequence)
              and (b.account, b.hour, b.sequence) not in (select account, hour, number from waits where kind = 1)
            union all
           select 'price version ' || version
             from price_version
            where version not in (select number from log_leaf where kind = 4)
              and version not in (select number from waits where kind = 4)
            union all
           select 'audit entry ' || number
             from audit_entry
            where number not in (select number from log_leaf where kind = 5)
              and number not in (select number from waits where kind = 5)
            union all
           select 'summary of hour ' || hour
             from settlement_summary
            where hour not in (select hour from log_leaf where kind = 6)
              and hour not in (select hour from waits where kind = 6)
            union all
           select 'hours without a bill, chunk ' || chunk || ' of hour ' || hour
             from (select distinct hour, chunk from settled_hour where chunk is not null) s
            where chunk not in (select number from log_leaf where kind = 2 and number is not null)
              and chunk not in (select number from waits where kind = 2 and number is not null))
    select what from missing order by what limit $1`,
  values: ({ limit }) => [limit],
  decode: ({ what }) => what,
}

/** Live hours that are settled and have no summary, since the log began. */
export const listHoursWithoutSummary: Query<void, { hour: Hour }, Hour> = {
  name: 'list_hours_without_summary',
  text: `
    select c.hour
      from cycle c
     where c.settled_at > (select begun_at from log_tree where tree = 1)
       and not exists (select from settlement_summary s where s.hour = c.hour)
     order by c.hour
     limit 100`,
  values: () => [],
  decode: ({ hour }) => hour,
}

/** Every checkpoint of a tree, by size: its root alone. */
export const listCheckpointRoots: Query<
  { readonly tree: number },
  { size: string; root: Buffer; note: string | null },
  { readonly size: number; readonly root: Buffer; readonly note: string | null }
> = {
  name: 'list_checkpoint_roots',
  text: `select size, root, note from log_checkpoint where tree = $1 order by size`,
  values: ({ tree }) => [tree],
  decode: ({ size, root, note }) => ({ size: Number(size), root, note }),
}
