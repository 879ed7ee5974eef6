import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { leaveAdminKey, readAdminKey } from '../../src/flows/keys/admin-key-file.ts'
import { openDatabase } from '../../src/store/connect.ts'
import { enter, hasMembers } from '../../src/store/embedded/members.ts'
import { readNoLink, writeNoLink } from '../../src/store/embedded/no-links.ts'
import { findPlace } from '../../src/store/embedded/place.ts'
import { firstOutput } from '../../src/store/embedded/last-words.ts'
import { isAlive, newIdentity, startOf, UNKNOWN } from '../../src/store/embedded/process-identity.ts'
import { farthing } from './cli-run.ts'
import { quiet } from './deployment.ts'

/** Guarantee: only what the system says is gone is taken for gone, and no file of somebody else is read or written. */

const folder = mkdtempSync(join(tmpdir(), 'farthing-unknown-'))
chmodSync(folder, 0o711)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const DIST = new URL('../../dist/src/store/embedded/', import.meta.url)

/** What a process finds that may open no further descriptor. @param text what it looks at, as an expression */
function withoutDescriptors(text: string): unknown {
  const program = `
    import { openSync } from 'node:fs'
    const identity = await import('${new URL('process-identity.js', DIST).href}')
    const members = await import('${new URL('members.js', DIST).href}')
    const file = await import('${new URL('postmaster-file.js', DIST).href}')
    const open = []
    try { for (;;) open.push(openSync('/dev/null')) } catch {}
    let found
    try { found = ${text} } catch (error) { found = { code: error.code } }
    const { closeSync } = await import('node:fs')
    for (const each of open) closeSync(each)
    console.log(JSON.stringify(found ?? null))`
  const { stdout, stderr } = spawnSync(
    'sh',
    ['-c', `ulimit -n 64; exec "$0" --input-type=module -e "$1"`, process.execPath, program],
    { encoding: 'utf8', cwd: fileURLToPath(new URL('../..', import.meta.url)) },
  )
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout)
}

describe('a process without a descriptor left', () => {
  const dir = join(folder, 'members')
  const identity = newIdentity()
  mkdirSync(dir)
  const CASES: readonly (readonly [string, string, unknown])[] = [
    ['does not take a living process for ended', `identity.startOf(${process.pid})`, UNKNOWN],
    ['nor one that has ended for either', `identity.startOf(4194303)`, UNKNOWN],
    ['takes an identity for alive', `identity.isAlive('${identity}')`, true],
    ['makes no identity of its own', `identity.newIdentity()`, { code: 'EMFILE' }],
    ['does not know whether a server runs', `file.runningPostmaster('${folder}')`, { code: 'EMFILE' }],
    ['does not know which servers are orphans', `file.orphans('${folder}')`, { code: 'EMFILE' }],
    ['removes no record of a process', `members.hasMembers('${dir}')`, { code: 'EMFILE' }],
  ]
  test.each(CASES)('%s', (_, text, expected) => {
    writeFileSync(join(folder, 'postmaster.pid'), `${process.pid}\n`)
    const membership = enter(dir)
    expect(withoutDescriptors(text)).toEqual(expected)
    expect(readdirSync(dir)).toContain(membership.identity)
    expect(existsSync(join(folder, 'postmaster.pid'))).toBe(true)
    expect(hasMembers(dir)).toBe(true)
  })

  test('is one sentence when it starts', () => {
    const { status, stdout, stderr } = spawnSync(
      'sh',
      ['-c', 'ulimit -n 24; exec "$0" bin/farthing serve', process.execPath],
      {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'], FARTHING_DATA_DIR: join(folder, 'few'), PORT: '0' },
      },
    )
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).not.toMatch(/^ {4}at /m)
  })
})

test('what has ended is gone, and what runs is not', () => {
  expect(startOf(4_194_303)).toBeUndefined()
  expect(isAlive(newIdentity())).toBe(true)
})

describe('a directory that everybody can write to', () => {
  for (const [mode, refused] of [
    [0o777, true],
    [0o1777, true],
    [0o702, true],
    [0o770, false],
    [0o2775, false],
    [0o755, false],
  ] as const) {
    test(`${mode.toString(8)} is ${refused ? 'refused' : 'taken'}`, () => {
      const dir = join(folder, `mode-${mode.toString(8)}`)
      mkdirSync(dir)
      chmodSync(dir, mode)
      const found = findPlace(dir, join(folder, 'shared'))
      expect(found.ok ? 'taken' : found.detail).toMatch(
        refused ? /Everybody can write .*chmod o-w/ : /^taken$/,
      )
    })
  }

  test('is refused by a start, also where only the admin key would be in it', async () => {
    const dir = join(folder, 'open')
    mkdirSync(dir)
    chmodSync(dir, 0o777)
    const { code, stderr } = await farthing(['serve'], { env: { FARTHING_DATA_DIR: dir, PORT: '0' } })
    expect([code, stderr.replace('farthing: compiling…\n', '')]).toEqual([
      1,
      expect.stringMatching(/^farthing: Everybody can write to the data directory [^\n]+\n$/),
    ])
    expect(readdirSync(dir)).toEqual([])
    expect(await openDatabase({ dataDir: dir, log: quiet })).toMatchObject({ code: 'server/data_dir' })
  })
})

describe('a link in the place of a file', () => {
  test('is not followed when the file is read or written', () => {
    const target = join(folder, 'target')
    writeFileSync(target, 'precious\n')
    const link = join(folder, 'link')
    symlinkSync(target, link)
    expect(() => readNoLink(link)).toThrow(/ELOOP/)
    expect(() => writeNoLink(link, 'lost')).toThrow(/ELOOP/)
    expect(readFileSync(target, 'utf8')).toBe('precious\n')
  })

  test('is not taken for the admin key', () => {
    const dir = join(folder, 'keyed')
    const other = leaveAdminKey(join(folder, 'other'))
    mkdirSync(dir)
    symlinkSync(join(folder, 'other/admin-key'), join(dir, 'admin-key'))
    expect(() => readAdminKey(dir)).toThrow(/ELOOP/)
    expect(readAdminKey(join(folder, 'other'))).toBe(other)
  })

  test('has a start refused, and its target left as it is', async () => {
    const dir = join(folder, 'linked')
    mkdirSync(dir)
    chmodSync(dir, 0o711)
    const target = join(folder, 'victim')
    writeFileSync(target, 'precious\n')
    const found = findPlace(dir, join(folder, 'shared'))
    if (!found.ok) throw new Error(found.detail)
    symlinkSync(target, firstOutput(found.place))
    const opened = await openDatabase({ dataDir: dir, log: quiet })
    if (opened.ok) await opened.database.stop()
    expect(opened).toMatchObject({
      ok: false,
      code: 'server/data_dir',
      detail: expect.stringMatching(/ELOOP/) as string,
    })
    expect(readFileSync(target, 'utf8')).toBe('precious\n')
  })
})
