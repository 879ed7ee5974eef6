import { byteLength } from '../../core/text/well-formed.ts'

/** UTF-8 bytes of a reason: one or two sentences. It is kept with every event, and part of the bill's digest. */
export const REASON_BYTES_MAX = 500

export type VoidReason =
  | { readonly ok: true; readonly reason: string }
  | {
      readonly ok: false
      readonly code: 'void/reason_missing' | 'void/invalid_reason'
      readonly detail: string
    }

/** Why events are voided, as it is kept: without blanks around it. A void without a reason is none. */
export function readVoidReason(text: string | undefined): VoidReason {
  const reason = text?.trim() ?? ''
  if (reason === '') {
    const detail = 'There is no reason: say why the events are voided. It is kept with them.'
    return { ok: false, code: 'void/reason_missing', detail }
  }
  if (!reason.isWellFormed() || /[\p{Cc}\p{Zl}\p{Zp}]/u.test(reason)) {
    const detail =
      'The reason has line breaks, control characters or half of a surrogate pair: send one line of text.'
    return { ok: false, code: 'void/invalid_reason', detail }
  }
  if (byteLength(reason) > REASON_BYTES_MAX) {
    const detail = `The reason is longer than ${REASON_BYTES_MAX} bytes: say it in fewer words.`
    return { ok: false, code: 'void/invalid_reason', detail }
  }
  return { ok: true, reason }
}
