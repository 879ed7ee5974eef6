import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createMeter, meterJob } from './create-meter.ts'
import { meterRequests as meterExpress } from './express.ts'
import { meterRequests as meterFastify } from './fastify.ts'
import { meterRequests as meterHono } from './hono.ts'
import { fileSpool, closeOnSignals } from './node.ts'
import { readOptions } from './options.ts'

const FOLDER = new URL('.', import.meta.url).pathname
const README = readFileSync(join(FOLDER, '../README.md'), 'utf8')
const SOURCES = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .map((name) => join(FOLDER, name))

/** Every exported constant that is a number, by name. */
async function constants(): Promise<ReadonlyMap<string, bigint>> {
  const modules = await Promise.all(SOURCES.map(async (path) => (await import(path)) as object))
  const all = modules.flatMap((module) => Object.entries(module))
  return new Map(
    all.flatMap(([name, value]) =>
      typeof value === 'number' || typeof value === 'bigint' ? [[name, BigInt(value)]] : [],
    ),
  )
}

/** With the form of one, and the right checksum. */
const KEY = 'frt_000000000000000000000000001f22r1'
const REQUIRED = { url: 'http://x', key: KEY, source: 's' }

const whole = (text: string) => BigInt(text.replaceAll(',', ''))

test('every limit in the README has the value that the code has, and none is left out', async () => {
  const code = await constants()
  const rows = [...README.matchAll(/^\| ([\d,]+) \| [^|]+ \| `([A-Z_]+)` \|$/gm)]
  expect(rows.length).toBeGreaterThan(10)
  for (const [, value, name] of rows) expect([name, code.get(name!)]).toEqual([name, whole(value!)])
  const named = rows.map(([, , name]) => name)
  // The bounds of options are in their own table; a minute is a minute, and a status no limit.
  const others = /^(?:BATCH_|QUEUE_|TIMEOUT_|MINUTE_MS|CLIENT_GONE_STATUS)/
  expect([...code.keys()].filter((name) => !others.test(name) && !named.includes(name))).toEqual([])
})

test('options are what the README says when they are left out, and end where it says', () => {
  const required = REQUIRED
  const settings = readOptions(required) as unknown as Record<string, unknown>
  const rows = [...README.matchAll(/^\| `(\w+)` \| ([\d,]+)( MiB)? \| ([\d,]+)( MiB)? \|/gm)]
  expect(rows).toHaveLength(5)
  for (const [, name, unlessTold, mib, most, mostMib] of rows) {
    const [value, max] = [[unlessTold!, mib] as const, [most!, mostMib] as const].map(([text, unit]) =>
      Number(whole(text) * (unit ? 2n ** 20n : 1n)),
    ) as [number, number]
    expect([name, settings[name!]]).toEqual([name, value])
    expect(readOptions({ ...required, [name!]: max })).toMatchObject({ [name!]: max })
    for (const wrong of [0, max + 1, 1.5]) {
      const say = `${name} is not a whole number from 1 to ${max}`
      expect(() => readOptions({ ...required, [name!]: wrong })).toThrowError(say)
    }
  }
  expect(settings).toMatchObject({ whenFull: 'wait', aggregate: false, aggregateKeys: 2000 })
})

test('every code is in the README', () => {
  const used = new Set(SOURCES.flatMap((path) => readFileSync(path, 'utf8').match(/'sdk\/\w+'/g) ?? []))
  const inReadme = new Set([...README.matchAll(/^\| `(sdk\/\w+)` \|/gm)].map(([, code]) => `'${code}'`))
  // Only for an answer that breaks the server's own promise.
  used.delete("'sdk/no_code'")
  expect([...used].sort()).toEqual([...inReadme].sort())
})

test.each([
  [{ url: 'billing.example.com' }, 'url is no URL'],
  [{ url: 'ftp://x' }, 'url is neither http nor https'],
  [{ url: 'http://x/?a=1' }, 'url has more than a host and a path'],
  [{ key: undefined }, 'key is missing'],
  [{ key: '' }, 'key is missing'],
  [{ key: 'a b' }, 'key is not one of Farthing'],
  [{ key: `Bearer ${KEY}` }, 'key is not one of Farthing'],
  [{ key: `${KEY}\n` }, 'key begins or ends with a blank'],
  [{ key: KEY.slice(0, -1) }, 'mistyped or cut off'],
  [{ key: `${KEY}0` }, 'mistyped or cut off'],
  [{ key: KEY.replace('00', '01') }, 'mistyped or cut off'],
  [{ key: KEY.toUpperCase().replace('FRT', 'frt') }, 'mistyped or cut off'],
  [{ key: 7 }, 'key is no text'],
  [{ source: '' }, 'source is missing'],
  [{ source: 's'.repeat(513) }, 'source is longer than 512 bytes'],
  [{ whenFull: 'never' as never }, 'whenFull is neither'],
  [{ agregate: true }, '"agregate" is not known in the options of createMeter: write aggregate.'],
  [{ timeout: 5 }, '"timeout" is not known in the options of createMeter: write timeoutMs.'],
  [
    { apiKey: KEY },
    '"apiKey" is not known in the options of createMeter: remove it; known are url, key, source',
  ],
  [{ aggregate: 'yes' }, 'aggregate is neither true nor false'],
  [{ batchMs: '5' }, 'batchMs is not a whole number'],
  [{ onProblem: 'log' }, 'onProblem is no function'],
  [{ spool: '/var/spool' }, 'spool is no spool'],
])('an option is refused: %o', (option, say) => {
  expect(() => readOptions({ ...REQUIRED, ...option } as never)).toThrowError(say)
})

test('options that are missing altogether are told, too', () => {
  expect(() => createMeter(undefined as never)).toThrowError('The options of createMeter are missing')
  expect(() => fileSpool(undefined as never)).toThrowError('The options of fileSpool are missing')
})

/** Every other place at which options go in. */
const ENTRIES: Readonly<Record<string, (options: object) => unknown>> = {
  'the options of fileSpool': (options) => fileSpool({ folder: '/tmp/x', ...options }),
  'the options of closeOnSignals': (options) => closeOnSignals(METER, options),
  'the options of flush': (options) => METER.flush(options),
  'the options of close': (options) => METER.close(options),
  'a job': (options) =>
    meterJob(
      METER,
      { account: 'a', operation: 'o', ...options },
      () => 1,
      () => ({ call: 1 }),
    ),
  'a request fact': (options) => METER.request({ account: 'a', operation: 'o', status: 200, ...options }),
  'a processing fact': (options) =>
    METER.processing({ account: 'a', operation: 'o', mode: 'sync', quantities: { call: 1 }, ...options }),
  'a storage fact': (options) => METER.storage({ account: 'a', dataset: 'd', bytes: 1, ...options }),
}
const METER = createMeter({ ...REQUIRED, onProblem() {} })

test.each(Object.entries(ENTRIES))('an unknown member of %s is refused by name', async (place, enter) => {
  const say = `"surprise" is not known in ${place}: remove it; known are `
  await expect(async () => enter({ surprise: 1 })).rejects.toThrowError(say)
})

test.each([
  ['a job', { onUnmeterd() {} }, 'write onUnmetered'],
  ['a request fact', { projct: 'p' }, 'write project'],
  ['a storage fact', { datset: 'd' }, 'write dataset'],
  ['the options of fileSpool', { fsinc: 'always' }, 'write fsync'],
  ['the options of flush', { timeoutms: 5 }, 'write timeoutMs'],
  ['the options of closeOnSignals', { signal: [] }, 'write signals'],
])('a misspelt member of %s is told with the one that was meant', async (place, member, say) => {
  await expect(async () => ENTRIES[place]!(member)).rejects.toThrowError(say)
})

test.each([
  ['express', meterExpress],
  ['fastify', meterFastify],
  ['hono', meterHono],
])('options of meterRequests are looked at when it is made: %s', (_, meterRequests) => {
  const make =
    (options?: unknown, meter: unknown = METER) =>
    () =>
      meterRequests(meter as never, options as never)
  const account = () => 'acme'
  expect(make()).toThrowError('account is missing')
  expect(make({})).toThrowError('account is missing')
  expect(make({ acount: account })).toThrowError('account is missing')
  expect(make({ account: undefined })).toThrowError('account is no function')
  expect(make({ account: 'acme' })).toThrowError('account is no function')
  expect(make({ account, projet: account })).toThrowError(
    '"projet" is not known in the options of meterRequests: write project.',
  )
  expect(make({ account, skip: true })).toThrowError('skip is no function')
  expect(make({ account }, undefined)).not.toThrow()
  expect(make({ account }, { account })).toThrowError('meterRequests has no meter')
  expect(make({ account, operation: undefined })).not.toThrow()
})

test('a url may have a path', () => {
  const url = readOptions({ ...REQUIRED, url: 'https://x/billing/' }).url
  expect(url).toBe('https://x/billing/v1/events')
  expect(readOptions({ ...REQUIRED, url: 'https://x/v1/events' }).url).toBe('https://x/v1/events')
})

test('the main entry imports nothing of Node', () => {
  const main = SOURCES.filter((path) => !/\/node(?:\.ts$|\/)/.test(path))
  expect(main.length).toBeGreaterThan(10)
  for (const path of main) expect(readFileSync(path, 'utf8')).not.toMatch(/from '(?:node:|\.\/node)|import\(/)
})
