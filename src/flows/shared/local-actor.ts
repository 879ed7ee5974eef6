import { userInfo } from 'node:os'

/** Who acts, in the audit log, when a command works on the database itself: `cli:maria`, or `cli:1000` without a name. */
export function localActor(): string {
  return `cli:${userName()}`
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    // A container may run as a user that has no entry.
    return String(process.getuid?.() ?? 'unknown')
  }
}
