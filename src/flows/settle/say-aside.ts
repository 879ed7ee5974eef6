import { formatHour } from '../../core/time/hour.ts'
import { formatInstant } from '../../core/time/instant.ts'
import type { Log } from '../../store/connect.ts'
import type { SetAside } from '../../store/set-aside.ts'
import type { AsideNews, OnAside } from './set-aside.ts'

/** Frames of a stack that are logged: where it failed, without the message, which may quote what is stored. */
const FRAMES = 6

/** Log what becomes of accounts that settlement stumbles over. */
export function sayingAside(log: Log): OnAside {
  return ({ kind, aside, error }: AsideNews) => {
    const { account, bucket, hour, code, reason, attempts, retryAt } = aside
    const who = account === '' ? { bucket } : { account, bucket }
    if (kind === 'caught up') return log.info(who, 'Settled again: it was set aside, and has caught up')
    const fields = { ...who, hour: formatHour(hour), code, reason, attempts, retryAt: formatInstant(retryAt) }
    if (kind === 'failed again') return log.warn(fields, 'Set aside still: it cannot be settled')
    log.error({ ...fields, at: framesOf(error) }, 'Set aside: it cannot be settled, and all others go on')
  }
}

function framesOf(error: unknown): readonly string[] {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  const frames = stack.split('\n').filter((line) => line.startsWith('    at '))
  return frames.slice(0, FRAMES).map((line) => line.trim())
}

/** `the account "acme", from 2026-03-05T10 on (22P02: …)`. */
export function asideText({ account, bucket, hour, code, reason }: SetAside): string {
  const who = account === '' ? `bucket ${bucket}` : `the account ${shownName(account)}`
  return `${who}, from ${formatHour(hour)} on (${code}: ${reason})`
}

const NAME_CHARACTERS = 80

/** On one line, with nothing that could move a cursor. */
function shownName(name: string): string {
  const short = name.length > NAME_CHARACTERS ? `${name.slice(0, NAME_CHARACTERS)}…` : name
  return JSON.stringify(short).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '�')
}
