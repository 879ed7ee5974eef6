import { spawnSync } from 'node:child_process'

/** Runs and test files go side by side, and apt-get waits for nobody. A folder can be locked, and is not left behind. */
const LOCK = '/var/cache/apt'

/**
 * Sees to it that a test has a real program: Debian has it, and anyone who is root can have it installed.
 * @param check arguments with which it does nothing
 */
export function installProgram(program: string, check: string, debianPackage = program): void {
  if (spawnSync(program, [check]).status === 0) return
  // In this run level the installation starts no server of its own.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  for (const args of [
    ['update', '-q'],
    ['install', '-qy', '--no-install-recommends', debianPackage],
  ]) {
    const { status, stderr, error } = spawnSync('flock', [LOCK, 'apt-get', ...args], {
      env,
      encoding: 'utf8',
    })
    if (status === 0) continue
    const why = error?.message ?? stderr
    throw new Error(`This test needs ${program}, and apt-get cannot install it: install it yourself. ${why}`)
  }
}
