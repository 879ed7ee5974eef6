import { readIdentity } from '../../flows/log/log-keys.ts'
import { type LogIdentity, NO_IDENTITY } from '../../flows/log/log-identity.ts'
import type { OwnSettings } from '../own-database.ts'
import { CommandFailed } from '../terminal/command-failed.ts'

/** The keys that the settings of this process name. */
export function givenIdentity({ signing }: Pick<OwnSettings, 'signing'>): LogIdentity {
  if (!signing) return NO_IDENTITY
  const read = readIdentity(signing)
  if (!read.ok) throw new CommandFailed(read.detail)
  return read.identity
}
