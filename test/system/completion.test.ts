import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { farthing } from './cli-run.ts'

// Guarantee: the scripts that `farthing completion` prints complete commands and options in the shells that they are for.

const folder = mkdtempSync(join(tmpdir(), 'farthing-completion-'))
const SHELLS = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof SHELLS)[number]
const scriptOf = (shell: Shell) => join(folder, `farthing.${shell}`)

beforeAll(async () => {
  for (const shell of SHELLS) {
    const { stdout, code } = await farthing(['completion', shell])
    if (code !== 0) throw new Error(`completion ${shell} ended with ${code}`)
    writeFileSync(scriptOf(shell), stdout)
  }
  // A home without settings, so that a shell does what it does for everybody.
  writeFileSync(join(folder, '.zshrc'), '')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What is typed before the tab, and what stands there after it. */
const COMPLETED: readonly (readonly [typed: string, completed: string])[] = [
  ['acc', 'accounts'],
  ['keys rev', 'keys revoke'],
  ['keys create --sc', 'keys create --scope'],
  ['price-book publish --dr', 'price-book publish --dry-run'],
  ['sources man', 'sources manifest'],
  ['usage --gr', 'usage --group-by'],
]

const COMPLETE: Readonly<Record<Shell, (typed: string) => string>> = {
  bash(typed) {
    const words = `farthing ${typed}`.split(' ')
    const at = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}`
    const script = `source '${scriptOf('bash')}'; ${at}; _farthing; echo "\${COMPREPLY[*]}"`
    return [...words.slice(1, -1), shellRun('bash', ['--norc', '-c', script]).trim()].join(' ')
  },
  fish(typed) {
    const script = `source '${scriptOf('fish')}'; complete -C"farthing ${typed}"`
    const [first = ''] = shellRun('fish', ['--no-config', '-c', script]).split(/[\t\n]/)
    return [...typed.split(' ').slice(0, -1), first].join(' ')
  },
  zsh(typed) {
    // A terminal of its own, in which the tab is pressed: what runs then is what was completed.
    const script = `zmodload zsh/zpty
      zpty -b shell zsh -f -i
      zpty -w shell "source '${scriptOf('zsh')}'; farthing() { print -r -- 'ran: '\\"\\$*\\"':'; }; echo rea''dy"
      zpty -r -m shell out '*ready*'
      zpty -w shell $'farthing ${typed}\\t'
      zpty -r -m shell out '*ran: *:*'
      print -r -- $out`
    return /ran: (.*?) *:/.exec(shellRun('zsh', ['-f', '-c', script]))?.[1] ?? ''
  },
}

function shellRun(shell: Shell, args: readonly string[]): string {
  const env = { PATH: process.env['PATH'], HOME: folder, TERM: 'xterm' }
  return execFileSync(shell, args, { encoding: 'utf8', env, timeout: 20_000 })
}

/** Is it here, or can it be had from Debian? @returns why not */
function missing(shell: Shell): string | undefined {
  const isHere = () => spawnSync(shell, ['--version']).status === 0
  if (isHere()) return undefined
  if (process.geteuid?.() !== 0) return `${shell} is not installed, and only root can install it`
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', shell],
  ]) {
    spawnSync('apt-get', args, {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      timeout: 120_000,
    })
  }
  return isHere() ? undefined : `${shell} is not installed, and apt-get could not install it`
}

for (const shell of SHELLS) {
  test(`${shell} completes commands and options`, ({ skip }) => {
    const reason = missing(shell)
    if (reason !== undefined) {
      console.warn(`Not tested: completion in ${shell}, because ${reason}.`)
      skip(reason)
    }
    for (const [typed, completed] of COMPLETED) expect(COMPLETE[shell](typed)).toBe(completed)
  }, 300_000)
}
