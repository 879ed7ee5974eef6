import type { ServerUser } from './server-user.ts'

/**
 * How a program of PostgreSQL is run: as the server's user, from a directory that it can enter, and with none of
 * our environment, where a PGOPTIONS or LC_ALL would change what the server does.
 */
export function serverProcess(user: ServerUser | undefined): {
  cwd: string
  env: Record<string, string>
  uid?: number
  gid?: number
} {
  return { cwd: '/', env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', TZ: 'UTC' }, ...user }
}
