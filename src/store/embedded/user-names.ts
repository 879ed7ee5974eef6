import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { saysGone } from './process-identity.ts'

export interface UserEntry {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/** The system's entry for a user, by name or by number: of /etc/passwd, or from where else the system has users. */
export function userEntry(key: string | number): UserEntry | undefined {
  const wanted = (entry: UserEntry) => (typeof key === 'number' ? entry.uid : entry.name) === key
  return parse(passwdFile()).find(wanted) ?? parse(askSystem(String(key))).find(wanted)
}

/** The name of a user, or undefined: containers run programs under any number. */
export function userName(uid: number): string | undefined {
  return (uid === process.geteuid?.() ? ownName() : undefined) ?? userEntry(uid)?.name
}

function ownName(): string | undefined {
  try {
    return userInfo().username
  } catch {
    // What Node.js throws when there is no entry.
    return undefined
  }
}

function parse(text: string): UserEntry[] {
  return text.split('\n').flatMap((line) => {
    const [name, , uid, gid] = line.split(':')
    if (!name || !uid || !gid) return []
    // macOS writes some system users as negative numbers, and says them without a sign elsewhere.
    return [{ name, uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 }]
  })
}

function passwdFile(): string {
  try {
    return readFileSync('/etc/passwd', 'utf8')
  } catch (error) {
    if (saysGone(error)) return ''
    throw error
  }
}

/** Users of a directory service. Without such a program (macOS, small images) there is only the file. */
function askSystem(key: string): string {
  const env = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin' }
  return spawnSync('getent', ['passwd', key], { encoding: 'utf8', env, timeout: 10_000 }).stdout ?? ''
}
