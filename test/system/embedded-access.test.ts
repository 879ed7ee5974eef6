import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Connection } from '../../src/store/connect.ts'
import {
  type Child,
  clone,
  compile,
  run as runProgram,
  type RunOptions,
  scratch,
  sql,
} from './embedded-child.ts'

/** Guarantee: the database inside lets in the user who runs it and root, whatever the directories and files say. */

/** A user of every Linux, and one that has no name. */
const DAEMON = 1
const NAMELESS = 54_321

let place: string
let program: string
let base: string
let dataDir: string
let children: Child[]
beforeAll(() => {
  place = scratch()
  const compiled = compile()
  program = clone(compiled.program, join(place, 'farthing'))
  compiled.remove()
  writeFileSync(join(dirname(program), 'connect.mjs'), CONNECT)
})
afterAll(() => rmSync(place, { recursive: true, force: true }))
beforeEach(() => {
  base = scratch()
  dataDir = join(base, 'data')
  children = []
})
afterEach(async () => {
  for (const child of children) await child.stop()
  rmSync(base, { recursive: true, force: true })
})

const CONNECT = `
import pg from 'pg'
const client = new pg.Client(JSON.parse(process.argv[2]))
client.connect().then(() => 'in', (error) => error.code).then((word) => { console.log(word); process.exit() })
`

/** @returns 'in', or the SQLSTATE of the refusal */
function enterAs(uid: number, connection: Connection): string {
  const args = [join(dirname(program), 'connect.mjs'), JSON.stringify(connection)]
  return spawnSync(process.execPath, args, { uid, gid: uid, cwd: '/', encoding: 'utf8' }).stdout.trim()
}

/** What keeps others out besides the rules is gone. */
function openSocket({ host }: Connection): void {
  chmodSync(host, 0o711)
  chmodSync(join(host, '.s.PGSQL.5432'), 0o777)
}

async function run(options: Partial<RunOptions> = {}): Promise<Child> {
  const child = await runProgram(program, { dataDir, sharedDir: join(base, 'shared'), ...options })
  children.push(child)
  return child
}

function rulesOf({ connection }: Child): Promise<Record<string, unknown>[]> {
  return sql(connection, `select type, auth_method as method from pg_hba_file_rules order by rule_number`)
}

const PEER = [
  { type: 'local', method: 'peer' },
  { type: 'local', method: 'reject' },
  { type: 'host', method: 'reject' },
]
const TRUST = 'local all all trust\nhost all all all trust\n'

function giveAll(path: string, uid: number): void {
  for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' }))
    lchownSync(join(path, name), uid, uid)
  lchownSync(path, uid, uid)
}

function pgdata(name: string): string {
  return join(dataDir, 'postgres', name)
}

describe.runIf(process.geteuid?.() === 0)('as root', () => {
  test('the owner and root are let in, as any role; others are not, though the socket is open', async () => {
    const child = await run()
    const { connection } = child
    openSocket(connection)
    const { uid } = statSync(pgdata('.'))
    await sql(connection, 'create role reader login')
    const roles = ['farthing', 'reader'].map((user) => ({ ...connection, user, database: 'postgres' }))
    for (const as of roles) {
      expect([0, uid, DAEMON].map((id) => enterAs(id, as))).toEqual(['in', 'in', '28000'])
    }
    // A password that somebody has guessed helps nobody.
    expect(enterAs(DAEMON, { ...connection, password: 'x' })).toBe('28000')
    expect(await rulesOf(child)).toEqual(PEER)
  })

  const EARLIER: readonly (readonly [string, () => void])[] = [
    ['has the rules of an earlier version', () => writeFileSync(pgdata('pg_hba.conf'), TRUST)],
    ['has no rules', () => rmSync(pgdata('pg_hba.conf'))],
    [
      'has a link in the place of its rules',
      () => {
        rmSync(pgdata('pg_hba.conf'))
        writeFileSync(join(base, 'elsewhere'), TRUST, { mode: 0o666 })
        symlinkSync(join(base, 'elsewhere'), pgdata('pg_hba.conf'))
      },
    ],
    [
      'names other rules in its settings',
      () => {
        writeFileSync(join(base, 'elsewhere'), TRUST)
        appendFileSync(pgdata('postgresql.conf'), `hba_file = '${join(base, 'elsewhere')}'\n`)
      },
    ],
    [
      'names other rules in what ALTER SYSTEM has left',
      () => {
        writeFileSync(join(base, 'elsewhere'), TRUST)
        appendFileSync(pgdata('postgresql.auto.conf'), `hba_file = '${join(base, 'elsewhere')}'\n`)
      },
    ],
    ['maps every user to every role', () => writeFileSync(pgdata('pg_ident.conf'), 'farthing /^.*$ all\n')],
    [
      'has a link in the place of the draft',
      () => {
        writeFileSync(pgdata('pg_hba.conf'), TRUST)
        writeFileSync(join(base, 'elsewhere'), TRUST)
        symlinkSync(join(base, 'elsewhere'), pgdata('pg_hba.conf.new'))
      },
    ],
  ]
  for (const [name, change] of EARLIER) {
    test(`data that ${name} is closed by the next start`, async () => {
      const first = await run()
      await first.stop()
      change()
      const again = await run()
      expect(again.detail).toBeUndefined()
      openSocket(again.connection)
      expect([0, DAEMON].map((uid) => enterAs(uid, again.connection))).toEqual(['in', '28000'])
      expect(await rulesOf(again)).toEqual(PEER)
      if (existsSync(join(base, 'elsewhere')))
        expect(readFileSync(join(base, 'elsewhere'), 'utf8')).toBe(TRUST)
    })
  }

  test('a server that runs with the rules of an earlier version is closed by the next to join it', async () => {
    const first = await run()
    openSocket(first.connection)
    writeFileSync(pgdata('pg_hba.conf'), TRUST)
    await sql(first.connection, 'select pg_reload_conf()')
    await expect.poll(() => enterAs(DAEMON, first.connection)).toBe('in')
    const second = await run()
    expect(second.serverPid).toBe(first.serverPid)
    openSocket(first.connection)
    await expect.poll(() => enterAs(DAEMON, first.connection)).toBe('28000')
  })

  describe('a user without a name', () => {
    test('cannot make a database, and is told what to do', async () => {
      mkdirSync(dataDir)
      chownSync(dataDir, NAMELESS, NAMELESS)
      const child = await run({ uid: NAMELESS })
      expect(child.code).toBe('server/no_user')
      expect(child.detail).toMatch(/user 54321 has none here: .*\/etc\/passwd.*DATABASE_URL/)
    })

    test('uses one that is there, with a password; others need it', async () => {
      const made = await run()
      await sql(made.connection, `create table word as select 'kept' as word`)
      await made.stop()
      giveAll(dataDir, NAMELESS)

      for (const which of ['first', 'second']) {
        const child = await run({ uid: NAMELESS })
        expect([which, child.detail]).toEqual([which, undefined])
        const { password, ...without } = child.connection
        expect(password).toMatch(/^[\w-]{40,}$/)
        openSocket(without)
        await expect.poll(() => enterAs(DAEMON, without)).not.toBe('in')
        expect(enterAs(DAEMON, { ...without, password: 'x' })).toBe('28P01')
        expect(enterAs(NAMELESS, child.connection)).toBe('in')
        expect(await sql(child.connection, 'select word from word')).toEqual([{ word: 'kept' }])
        const { mode, uid } = statSync(pgdata('farthing.password'))
        expect([(mode & 0o777).toString(8), uid]).toEqual(['600', NAMELESS])
        // Root reads the password.
        const beside = await run()
        expect(beside.serverPid).toBe(child.serverPid)
        await beside.stop()
        await child.stop()
      }
    })

    test('who gets a name afterwards needs no password any more', async () => {
      await (await run()).stop()
      const { uid } = statSync(pgdata('.'))
      giveAll(dataDir, NAMELESS)
      await (await run({ uid: NAMELESS })).stop()
      for (const name of ['postgres', 'log', 'socket']) giveAll(join(dataDir, name), uid)
      const named = await run()
      expect(named.detail).toBeUndefined()
      expect(named.connection.password).toBeUndefined()
      expect(await rulesOf(named)).toEqual(PEER)
    })
  })

  describe.runIf(hasNamespaces())('on a system without the users that it looks for', () => {
    test('one is made for it, and used again', () => {
      const etc = etcWithout(/^(?:farthing|postgres|_postgres):/)
      expect(runWith(etc, '').ok).toBe(true)
      const line = readFileSync(join(etc, 'passwd'), 'utf8')
        .split('\n')
        .find((each) => each.startsWith('farthing:'))
      expect(line).toMatch(/:\/nonexistent:.*nologin$/)
      expect(statSync(pgdata('.')).uid).toBe(Number(line?.split(':')[2]))
      expect(runWith(etc, '').ok).toBe(true)
    })

    test('the group farthing may be there', () => {
      const etc = etcWithout(/^(?:farthing|postgres|_postgres):/)
      appendFileSync(join(etc, 'group'), 'farthing:x:4321:\n')
      expect(runWith(etc, '').ok).toBe(true)
      expect(statSync(pgdata('.')).gid).toBe(4321)
    })

    test('where none can be made, the refusal says what to run', () => {
      const etc = etcWithout(/^(?:farthing|postgres|_postgres):/)
      const refused = runWith(etc, `mount -o remount,ro,bind /etc`)
      expect(refused).toMatchObject({ ok: false, code: 'server/no_user' })
      expect(refused.detail).toMatch(/none could be made \(.+\): run useradd --system farthing/)
    })
  })
})

function etcWithout(users: RegExp): string {
  const etc = join(base, 'etc')
  cpSync('/etc', etc, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
  for (const name of ['passwd', 'group', 'shadow', 'gshadow']) {
    const file = join(etc, name)
    if (!existsSync(file)) continue
    const lines = readFileSync(file, 'utf8').split('\n')
    writeFileSync(file, lines.filter((line) => !users.test(line)).join('\n'))
  }
  return etc
}

/** A start with another /etc, which this process alone sees. */
function runWith(etc: string, before: string): { ok: boolean; code?: string; detail?: string } {
  const script = `mount --bind "$1" /etc && ${before || 'true'} && echo stop | "$2" "$3" "$4"`
  const options = JSON.stringify({ dataDir, sharedDir: join(base, 'shared') })
  const args = ['-m', 'sh', '-c', script, 'sh', etc, process.execPath, program, options]
  const { stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8' })
  if (!stdout.includes('{')) throw new Error(stderr)
  return JSON.parse(stdout) as { ok: boolean; code?: string; detail?: string }
}

/** Only root has them, and not in every container. */
function hasNamespaces(): boolean {
  const probe = scratch()
  const { status } = spawnSync('unshare', ['-m', 'mount', '--bind', probe, '/mnt'])
  rmSync(probe, { recursive: true })
  return status === 0
}
