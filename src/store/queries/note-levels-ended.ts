import type { UnendedAccount } from './find-unended-accounts.ts'
import type { Query } from '../query.ts'

export interface NoteLevelsEnded extends UnendedAccount {
  readonly priceVersion: number
}

/** All levels of the account count as 0 from its closing on. Nothing, if it was opened or closed anew meanwhile. */
export const noteLevelsEnded: Query<NoteLevelsEnded, never, void> = {
  name: 'note_levels_ended',
  text: `
    update account_profile set levels_ended = $3
     where account = $1 and closed_version = $2 and levels_ended < $3`,
  values: ({ account, closedVersion, priceVersion }) => [account, closedVersion, priceVersion],
  decode: () => undefined,
}
