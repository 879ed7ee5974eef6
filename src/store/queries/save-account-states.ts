import type { Query } from '../query.ts'
import type { AccountState } from './read-account-states.ts'

/** Note how far settlement has come with these accounts. Their buckets are claimed. */
export const saveAccountStates: Query<readonly AccountState[], never, void> = {
  name: 'save_account_states',
  text: `
    insert into account (bucket, account, last_step, last_sequence, last_digest)
    select bucket, account, step, sequence, decode(digest, 'hex')
      from unnest($1::smallint[], $2::text[], $3::bigint[], $4::bigint[], $5::text[])
           as k (bucket, account, step, sequence, digest)
        on conflict (bucket, account) do update
       set last_step = excluded.last_step,
           last_sequence = excluded.last_sequence,
           last_digest = excluded.last_digest`,
  values: (states) => [
    states.map(({ bucket }) => bucket),
    states.map(({ account }) => account),
    states.map(({ step }) => step),
    states.map(({ sequence }) => sequence),
    states.map(({ digest }) => digest),
  ],
  decode: () => undefined,
}
