import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
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
  const required = { url: 'http://x', key: 'k', source: 's' }
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
  [{ key: 'a b' }, 'key is no key'],
  [{ source: '' }, 'source is missing'],
  [{ source: 's'.repeat(513) }, 'source is longer than 512 bytes'],
  [{ whenFull: 'never' as never }, 'whenFull is neither'],
])('an option is refused: %o', (option, say) => {
  const required = { url: 'http://x', key: 'k', source: 's' }
  expect(() => readOptions({ ...required, ...option })).toThrowError(say)
})

test('a url may have a path', () => {
  const url = readOptions({ url: 'https://x/billing/', key: 'k', source: 's' }).url
  expect(url).toBe('https://x/billing/v1/events')
})

test('the main entry imports nothing of Node', () => {
  const main = SOURCES.filter((path) => !/\/node(?:\.ts$|\/)/.test(path))
  expect(main.length).toBeGreaterThan(10)
  for (const path of main) expect(readFileSync(path, 'utf8')).not.toMatch(/from '(?:node:|\.\/node)|import\(/)
})
