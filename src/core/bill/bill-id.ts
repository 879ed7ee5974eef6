import { formatHour, type Hour, parseHour } from '../time/hour.ts'

/**
 * A bill's id says what the bill is: `2025-07-28T03Z.acme`. It can be made from account and hour and read back,
 * so no index is needed to find a bill, and it needs no escaping in a URL or a shell: every byte of the
 * account outside of A-Z a-z 0-9 _ - is written as ~ and two hexadecimal digits, A to F as capital letters.
 */
export function billId(account: string, hour: Hour): string {
  const safe = encodeURIComponent(account).replace(
    /[!'()*.~]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `${formatHour(hour)}.${safe.replaceAll('%', '~')}`
}

const HOUR_LENGTH = '2025-07-28T03Z'.length

/**
 * The account and hour of a bill's id, or undefined when the text is not the id of any bill. The hexadecimal digits of an
 * escape may be written either way here; what answers show is the id of `billId`.
 */
export function parseBillId(id: string): { account: string; hour: Hour } | undefined {
  const hour = parseHour(id.slice(0, HOUR_LENGTH))
  const rest = id.slice(HOUR_LENGTH + 1)
  if (hour === undefined || !/^(?:[A-Za-z0-9_-]|~[0-9A-Fa-f]{2})+$/.test(rest)) return undefined
  try {
    const account = decodeURIComponent(rest.replaceAll('~', '%'))
    const canonical = id.replaceAll(/~[0-9A-Fa-f]{2}/g, (escape) => escape.toUpperCase())
    return billId(account, hour) === canonical ? { account, hour } : undefined
  } catch {
    return undefined // the escapes are not UTF-8
  }
}
