import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { serverAddress } from '../../src/cli/client/server-address.ts'
import { type ReadSettings, readSettings, type Settings } from '../../src/config.ts'
import { adminKeyPath } from '../../src/flows/keys/admin-key-file.ts'
import { newKeyText } from '../../src/flows/keys/key-text.ts'
import { greeting } from '../../src/serve-command.ts'
import { type Running, start } from '../../src/serve.ts'
import type { Log } from '../../src/store/connect.ts'
import { databaseUrl, testDatabase, type TestDatabase } from '../database.ts'

const MINIMAL = fileURLToPath(new URL('../../price-books/minimal.yaml', import.meta.url))
const REFERENCE = fileURLToPath(new URL('../../price-books/imm.yaml', import.meta.url))

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean()
})

async function emptyDatabase(): Promise<TestDatabase> {
  const database = await testDatabase()
  cleanUp.push(() => database.drop())
  return database
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'farthing-serve-'))
  cleanUp.push(() => rmSync(path, { recursive: true, force: true }))
  return path
}

function settingsOf({ connection }: TestDatabase, env: Record<string, string> = {}): Settings {
  const url = databaseUrl(connection)
  const read = readSettings({ PORT: '0', DATABASE_URL: url, FARTHING_DATA_DIR: folder(), ...env }, '/')
  if (!read.ok) throw new Error(read.detail)
  return read.settings
}

interface Noted {
  readonly log: Log
  readonly warnings: string[]
}

/** Run from its sources, as here, Farthing has no threads. */
const NO_THREAD = 'The thread for settlement was not started: the main thread settles'

function noted(): Noted {
  const warnings: string[] = []
  const warn = (_: object, text: string) => void (text !== NO_THREAD && warnings.push(text))
  return { warnings, log: { info() {}, warn, error: console.error } }
}

async function started(settings: Settings, log = noted().log): Promise<Running> {
  const outcome = await start(settings, log)
  if (!outcome.ok) throw new Error(outcome.detail)
  cleanUp.push(() => outcome.running.stop())
  return outcome.running
}

async function refusal(settings: Settings, log = noted().log): Promise<{ code: string; detail: string }> {
  const outcome = await start(settings, log)
  if (!outcome.ok) return outcome
  await outcome.running.stop()
  throw new Error('it has started')
}

async function status(url: string, key: string, path = '/v1/bills'): Promise<number> {
  return (await fetch(url + path, { headers: { authorization: `Bearer ${key}` } })).status
}

describe('the first start', () => {
  test('makes a demo, and an admin key that is shown once and left for its owner alone', async () => {
    const settings = settingsOf(await emptyDatabase())
    const first = await started(settings)
    expect(first.demo).toBe(true)
    expect(readFileSync(first.adminKeyPath, 'utf8')).toBe(`${first.adminKey}\n`)
    expect(statSync(first.adminKeyPath).mode & 0o777).toBe(0o600)
    expect(await status(first.url, first.adminKey!)).toBe(200)
    const [url, key, demo] = greeting(first, true)
    expect(url).toContain(first.url)
    expect(key).toContain(first.adminKey)
    expect(demo).toMatch(/demo/)
    await first.stop()
    await first.stop()

    const second = await started(settings)
    expect(second.adminKey).toBe(undefined)
    expect(greeting(second, false)[1]).toContain(first.adminKeyPath)
    expect(await status(second.url, first.adminKey!)).toBe(200)
  })

  test('of two processes at once makes one deployment and one key', async () => {
    const settings = settingsOf(await emptyDatabase())
    const both = await Promise.all([started(settings), started(settings)])
    const keys = both.map(({ adminKey }) => adminKey).filter((key) => key !== undefined)
    expect(keys).toHaveLength(1)
    for (const { url } of both) expect(await status(url, keys[0]!)).toBe(200)
  })

  test('of two processes with data directories of their own leaves the key with one of them', async () => {
    const database = await emptyDatabase()
    const [a, b] = await Promise.all([started(settingsOf(database)), started(settingsOf(database))])
    const made = [a, b].filter(({ adminKey }) => adminKey !== undefined)
    expect(made).toHaveLength(1)
    const { rows } = await database.pool.query('select count(*)::int as keys from api_key')
    expect(rows).toEqual([{ keys: 1 }])
  })

  test('uses a key again that lies there: another database may know it', async () => {
    const settings = settingsOf(await emptyDatabase())
    const key = newKeyText()
    writeFileSync(adminKeyPath(settings.dataDir), `${key}\n`)
    const running = await started(settings)
    expect(running.adminKey).toBe(key)
    expect(await status(running.url, key)).toBe(200)
  })

  test('makes nothing when the key cannot be left', async () => {
    const database = await emptyDatabase()
    const { detail, code } = await refusal({ ...settingsOf(database), dataDir: '/dev/null/data' })
    expect(code).toBe('server/data_dir')
    expect(detail).toContain('/dev/null/data')
    const { rows } = await database.pool.query('select from deployment')
    expect(rows).toEqual([])
  })
})

describe('a price book of your own', () => {
  test('is loaded into an empty database, and compared later', async () => {
    const database = await emptyDatabase()
    const copy = join(folder(), 'book.yaml')
    writeFileSync(copy, readFileSync(MINIMAL))
    const settings = settingsOf(database, { FARTHING_PRICE_BOOK: copy })
    const first = await started(settings)
    expect(first.demo).toBe(false)
    expect(greeting(first, true)).toHaveLength(2)
    await first.stop()

    const same = noted()
    await (await started(settings, same.log)).stop()
    expect(same.warnings.filter((text) => !text.includes('transparency log'))).toEqual([])
    await (await started({ ...settings, priceBook: undefined }, same.log)).stop()
    expect(same.warnings.filter((text) => !text.includes('transparency log'))).toEqual([])

    writeFileSync(copy, readFileSync(MINIMAL, 'utf8').replace('"0.50"', '"0.60"'))
    const other = noted()
    await started(settings, other.log)
    expect(other.warnings.join()).toMatch(/differs from the published version/)
  })

  test('with a type that no rate covers begins nothing; a database that is there starts, and warns once', async () => {
    const copy = join(folder(), 'book.yaml')
    const type =
      'eventTypes:\n  made: { component: processing, operation: CreateReport, quantities: { pagez: n } }\n'
    writeFileSync(copy, readFileSync(MINIMAL))
    const settings = settingsOf(await emptyDatabase(), { FARTHING_PRICE_BOOK: copy })
    await (await started(settings)).stop()
    writeFileSync(copy, `${readFileSync(MINIMAL, 'utf8')}${type}`)
    const again = noted()
    await (await started(settings, again.log)).stop()
    expect(again.warnings.filter((text) => text.includes('an event type that no rate covers'))).toHaveLength(
      1,
    )
    const fresh = settingsOf(await emptyDatabase(), { FARTHING_PRICE_BOOK: copy })
    const { code, detail } = await refusal(fresh)
    expect(code).toBe('start/price_book_invalid')
    expect(detail).toMatch(/book\.yaml:\d+:\d+: .*pagez.*write page/)
  })

  test('is refused by a demo, for good', async () => {
    const settings = settingsOf(await emptyDatabase())
    await (await started(settings)).stop()
    const { code, detail } = await refusal({ ...settings, priceBook: MINIMAL })
    expect(code).toBe('start/demo_database')
    expect(detail).toMatch(/demo.*unset FARTHING_PRICE_BOOK/)
  })

  test('is refused with its place when it is wrong, and with the reason when it cannot be read', async () => {
    const settings = settingsOf(await emptyDatabase())
    const bad = join(folder(), 'bad.yaml')
    writeFileSync(bad, readFileSync(MINIMAL, 'utf8').replace('price: "0.50"', 'price: 0.50'))
    const wrong = await refusal({ ...settings, priceBook: bad })
    expect(wrong.code).toBe('start/price_book_invalid')
    expect(wrong.detail).toMatch(/bad\.yaml:\d+:\d+: .*prices\[0\]\.price.*/)
    expect(wrong.detail).not.toContain('\n')
    const missing = await refusal({ ...settings, priceBook: '/nowhere.yaml' })
    expect(missing.code).toBe('start/price_book_unreadable')
    const illustrative = await refusal({ ...settings, priceBook: REFERENCE })
    expect(illustrative.code).toBe('start/price_book_illustrative')
  })
})

describe('an address that cannot be used', () => {
  test('a taken port is one line, and nothing is started', async () => {
    const database = await emptyDatabase()
    const holder = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => holder.once('listening', resolve))
    cleanUp.push(() => holder.close())
    const { port } = holder.address() as AddressInfo
    const { code, detail } = await refusal(settingsOf(database, { PORT: String(port) }))
    expect([code, detail]).toEqual([
      'start/port_taken',
      `Port ${port} is taken: stop what listens there, or set PORT to another.`,
    ])
    const { rows } = await database.pool.query('select from deployment')
    expect(rows).toEqual([])
  })

  test('a host that is not this machine', async () => {
    const { code, detail } = await refusal(settingsOf(await emptyDatabase(), { HOST: '192.0.2.1' }))
    expect(code).toBe('start/host_unusable')
    expect(detail).toMatch(/192\.0\.2\.1.*set HOST/)
  })
})

describe('the environment', () => {
  test('empty: the defaults', () => {
    const read = readSettings({ PORT: '' }, '/here')
    expect(read).toEqual({
      ok: true,
      settings: {
        port: 8080,
        host: '127.0.0.1',
        dataDir: '/here/.farthing',
        databaseUrl: undefined,
        priceBook: undefined,
        graceMs: 600_000,
        backfillQuietMs: 30_000,
        identityWindowMs: 62 * 86_400_000,
        backfillReachMs: 400 * 86_400_000,
        storedSeriesMax: 100_000,
        taken: 'any',
        storage: 'local',
        sessions: 24,
        shares: {
          questionsMax: 3,
          dryRunsMax: 2,
          questionsPerSecond: 100,
          connectionsMax: 256,
          failedKeysPerMinute: 60,
          trustedProxies: [],
        },
        hosts: undefined,
        signing: { origin: undefined, keyPaths: undefined, embeddedDir: '/here/.farthing' },
        isLogPublic: false,
      } satisfies Settings,
    } satisfies ReadSettings)
  })

  test('durations and paths', () => {
    const env = { FARTHING_GRACE: '50m', FARTHING_BACKFILL_QUIET: '1h', FARTHING_IDENTITY_WINDOW: '2d' }
    const read = readSettings({ ...env, FARTHING_PRICE_BOOK: 'b.yaml', FARTHING_DATA_DIR: '/data' }, '/here')
    expect(read).toMatchObject({
      settings: {
        graceMs: 3_000_000,
        backfillQuietMs: 3_600_000,
        identityWindowMs: 172_800_000,
        backfillReachMs: 400 * 86_400_000,
        storedSeriesMax: 100_000,
        priceBook: '/here/b.yaml',
        dataDir: '/data',
      },
    })
  })

  test('numbers are whole and within their bounds', () => {
    const set = (value: string) => readSettings({ FARTHING_QUESTIONS: value }, '/')
    expect(set('50')).toMatchObject({ settings: { shares: { questionsMax: 50 } } })
    for (const value of ['0', '51', '-1', '3.5', '1e1', ' 3', 'three', '0x3', '99999999999']) {
      expect([value, set(value)]).toMatchObject([
        value,
        { detail: `FARTHING_QUESTIONS is ${JSON.stringify(value)}: set it to 1 to 50.` },
      ])
    }
  })

  test('proxies are addresses and networks', () => {
    const set = (value: string) => readSettings({ FARTHING_TRUSTED_PROXIES: value }, '/')
    expect(set('127.0.0.1, 10.0.0.0/8,fd00::/8,')).toMatchObject({
      settings: { shares: { trustedProxies: ['127.0.0.1', '10.0.0.0/8', 'fd00::/8'] } },
    })
    for (const wrong of [
      'true',
      'loopback',
      '10.0.0.0/33',
      '10.0.0/8',
      'fd00::/129',
      'fe80::1%eth0',
      '1.2.3.4/8/9',
    ]) {
      expect([wrong, set(`10.0.0.1,${wrong}`)]).toMatchObject([
        wrong,
        {
          detail: expect.stringContaining(
            `FARTHING_TRUSTED_PROXIES has "${wrong}", which is neither`,
          ) as string,
        },
      ])
    }
    expect(set(Array.from({ length: 101 }, (_, index) => `10.0.0.${index}`).join())).toMatchObject({
      detail: 'FARTHING_TRUSTED_PROXIES has 101 networks: join them to at most 100.',
    })
  })

  test('whose usage is taken', () => {
    expect(readSettings({ FARTHING_ACCOUNTS: 'known' }, '/')).toMatchObject({ settings: { taken: 'known' } })
    const FARTHING_HOSTS = 'Billing.Example., 10.0.0.7:8080,[FE80::A]:1,::1'
    const hosts = ['billing.example', '10.0.0.7', '[fe80:0:0:0:0:0:0:a]', '[0:0:0:0:0:0:0:1]']
    expect(readSettings({ FARTHING_HOSTS }, '/')).toMatchObject({ settings: { hosts } })
  })

  const BAD: readonly [name: string, value: string, says: RegExp][] = [
    ['FARTHING_ACCOUNTS', 'all', /FARTHING_ACCOUNTS is "all": set it to any, or to known/],
    [
      'FARTHING_HOSTS',
      'https://billing.example',
      /FARTHING_HOSTS has "https:\/\/billing.example": write names without scheme/,
    ],
    ['FARTHING_HOSTS', 'a.example,*.b.example', /FARTHING_HOSTS has "\*\.b\.example": /],
    ['FARTHING_HOSTS', 'a.example/path', /FARTHING_HOSTS has "a.example\/path": /],
    ['FARTHING_HOSTS', 'a.example,,b.example', /FARTHING_HOSTS has "": /],
    ['FARTHING_HOSTS', 'a b', /FARTHING_HOSTS has "a b": /],
    ['PORT', '80a', /PORT is "80a": set it to a number from 0 to 65535/],
    ['PORT', '65536', /65535/],
    ['PORT', '-1', /65535/],
    ['FARTHING_GRACE', '51m', /FARTHING_GRACE is "51m": set it to 0s to 50m/],
    ['FARTHING_GRACE', '10', /a whole number and s, m, h or d/],
    ['FARTHING_GRACE', '1.5m', /a whole number/],
    ['FARTHING_GRACE', 'ten minutes', /FARTHING_GRACE/],
    ['FARTHING_BACKFILL_QUIET', '0s', /1s to 1h/],
    ['FARTHING_IDENTITY_WINDOW', '63d', /1h to 62d/],
  ]
  for (const [name, value, says] of BAD) {
    test(`${name}=${value} is refused`, () => {
      const read = readSettings({ [name]: value }, '/')
      expect(read).toMatchObject({ ok: false, code: 'config/invalid_value' })
      expect((read as { detail: string }).detail).toMatch(says)
    })
  }

  const UNKNOWN: readonly [name: string, says: string][] = [
    ['FARTHING_GRACEE', 'set FARTHING_GRACE, or unset it'],
    ['FARTHING_GRAZE', 'set FARTHING_GRACE, or unset it'],
    ['farthing_grace', 'set FARTHING_GRACE, or unset it'],
    ['FARTHING_DATADIR', 'set FARTHING_DATA_DIR, or unset it'],
    ['FARTHING_PRICEBOOK', 'set FARTHING_PRICE_BOOK, or unset it'],
    ['FARTHING_PORT', 'set PORT, or unset it'],
    ['FARTHING_DATABASE_URL', 'set DATABASE_URL, or unset it'],
    ['FARTHING_COLOUR', 'unset it; farthing serve --help lists the settings'],
    ['FARTHING_', 'unset it; farthing serve --help lists the settings'],
  ]
  for (const [name, says] of UNKNOWN) {
    test(`${name} is refused`, () => {
      const detail = `"${name}" is no setting of Farthing: ${says}.`
      expect(readSettings({ [name]: '1m', FARTHING_URL: 'x', FARTHING_KEY: 'x' }, '/')).toEqual({
        ok: false,
        code: 'config/unknown_variable',
        detail,
      })
      expect(() => serverAddress({}, { [name]: '1m' })).toThrow(detail)
    })
  }

  test('several unknown ones are counted, and an empty one counts as unset', () => {
    const read = readSettings({ FARTHING_X: '1', FARTHING_KEYS: '1', FARTHING_Y: '' }, '/')
    expect(read).toMatchObject({
      detail: '"FARTHING_KEYS" is no setting of Farthing (and 1 more): set FARTHING_KEY, or unset it.',
    })
    expect(readSettings({ FARTHING_Y: '' }, '/').ok).toBe(true)
  })
})
