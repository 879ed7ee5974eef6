import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

export interface BrokenChain {
  readonly account: string
  /** Where it breaks: the bill after the break; null: after the newest bill. */
  readonly hour: Hour | null
  /** The sequence that should be there, and the one that is. */
  readonly wanted: number
  readonly found: number | null
  /** Is the sequence right, and the digest before it another? */
  readonly digestDiffers: boolean
}

interface Raw {
  account: string
  hour: Hour | null
  wanted: string
  found: string | null
  digest_differs: boolean
}

/**
 * Where an account's bills do not follow each other: a number is missing, or a bill does not name the digest of the one
 * before it. Its newest bill is held against what the account remembers.
 */
export const findBrokenChains: Query<{ readonly account: string | null }, Raw, BrokenChain> = {
  name: 'find_broken_chains',
  text: `
    with links as (
      select account, hour, sequence, previous_digest, 1 + coalesce(lag(sequence) over chain, 0) as wanted,
             lag(digest) over chain as before
        from bill
       where $1::text is null or account = $1
      window chain as (partition by account order by sequence)
       union all
      select a.account, null, b.sequence + 1, a.last_digest, a.last_sequence + 1, b.digest
        from account a
        left join lateral (select sequence, digest from bill b
                            where b.account = a.account order by sequence desc limit 1) b on true
       where a.last_sequence > 0 and ($1::text is null or a.account = $1))
    select account, hour, wanted, sequence as found,
           sequence is not distinct from wanted and previous_digest is distinct from before as digest_differs
      from links
     where sequence is distinct from wanted or previous_digest is distinct from before
     order by account, sequence`,
  values: ({ account }) => [account],
  decode: (raw) => ({
    account: raw.account,
    hour: raw.hour,
    wanted: Number(raw.wanted),
    found: raw.found === null ? null : Number(raw.found),
    digestDiffers: raw.digest_differs,
  }),
}
