import { safeText } from '../../core/present/readable-text.ts'
import { byteLength, refuseText } from '../../core/text/well-formed.ts'
import { CONTINUE_REASON_BYTES_MAX, continueLog } from '../../flows/log/continue-log.ts'
import { localActor } from '../../flows/shared/local-actor.ts'
import { type ReadOwnSettings, withDatabase } from '../own-database.ts'
import { CommandFailed, EXIT } from '../terminal/command-failed.ts'
import { print, printJson } from '../terminal/terminal.ts'
import { givenIdentity } from './log-identity.ts'

export interface ContinueOptions {
  readonly reason: string
  readonly json?: true
}

/** Begin the next tree of the log, and say what it is called. */
export async function continueBroken(
  { reason, json }: ContinueOptions,
  readSettings: ReadOwnSettings,
): Promise<void> {
  if (reason.trim() === '' || byteLength(reason) > CONTINUE_REASON_BYTES_MAX || refuseText(reason)) {
    const form = `write one sentence, of at most ${CONTINUE_REASON_BYTES_MAX} bytes`
    throw new CommandFailed(`The reason cannot be used: ${form}.`, EXIT.usage)
  }
  const done = await withDatabase(readSettings, (pool, settings) =>
    continueLog(pool, {
      identity: givenIdentity(settings),
      reason,
      actor: localActor(),
      always: false,
    }),
  )
  if (!done.ok) throw new CommandFailed(done.detail)
  if (json) return printJson({ origin: done.origin, before: done.before ?? null })
  if (done.before === undefined) print(`The key signs the log ${safeText(done.origin)} from now on.`)
  else print(`The log ${safeText(done.before)} is continued as ${safeText(done.origin)}.`)
}
