import type { Query } from '../query.ts'

/** Is there history that is not sealed yet? Asked before the gate is taken for nothing. */
export const hasOpenHistory: Query<{ readonly quietMs: number }, { open: boolean }, boolean> = {
  name: 'has_open_history',
  text: `
    select exists (select from history_hour
                    where price_version is null
                      and (touched_at <= clock_timestamp() - make_interval(secs => $1::numeric / 1000)
                           or touched_at > clock_timestamp() + make_interval(secs => $1::numeric / 1000))) as open`,
  values: ({ quietMs }) => [quietMs],
  decode: ({ open }) => open,
}
