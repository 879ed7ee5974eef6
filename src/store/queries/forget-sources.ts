import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

export interface ForgetSources {
  /** Sources that have not reported since before this hour, and are not silent, are expected no more. */
  readonly before: Hour
  /** The same of silent ones. */
  readonly silentBefore: Hour
}

/** Forget when sources have reported that have not done so for long. */
export const forgetSources: Query<ForgetSources, never, void> = {
  name: 'forget_sources',
  text: `
    delete from source_presence
     where last_hour < case when silent_since is null then $1::int else $2::int end`,
  values: ({ before, silentBefore }) => [before, silentBefore],
  decode: () => undefined,
}
