import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { checkBackup } from '../../src/flows/backup/check-backup.ts'
import { BACKUP_LINE_BYTES_MAX } from '../../src/flows/backup/read-backup.ts'
import { UnpackedBytes } from '../../src/flows/backup/unpacked-bytes.ts'
import { handmade, packed } from './backup-handmade.ts'

const folder = mkdtempSync(join(tmpdir(), 'farthing-damage-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const ROWS = ['0\t1', '1\t\\N', '\\\\.', 'a\\\\.', '日本\t\\t\\n']
const SECTIONS = [
  { head: { table: 'bucket', columns: ['bucket', 'settled_until'] }, rows: ROWS },
  { head: { table: 'cycle', columns: ['hour'] }, rows: [] },
  { head: { table: 'usage_event', hours: { from: 0, to: 24 }, columns: ['at'] }, rows: ['1', '2'] },
]
const TEXT = handmade(SECTIONS)
const WHOLE = packed(SECTIONS)

async function check(file: Buffer): Promise<string> {
  const path = join(folder, 'a.backup')
  writeFileSync(path, file)
  const checked = await checkBackup(path, () => {})
  return checked.ok ? `whole, ${checked.summary.rows} rows` : `${checked.code}: ${checked.detail}`
}

test('a backup is whole as it was written', async () => {
  expect(await check(WHOLE)).toBe('whole, 7 rows')
})

// Guarantee: a backup that is not as it was written is never taken for one.
describe('damage is found', () => {
  test('wherever the file is cut off', async () => {
    for (let length = 1; length < WHOLE.length; length++) {
      expect([length, await check(WHOLE.subarray(0, length))]).toEqual([
        length,
        expect.stringMatching(/^backup\/damaged: The backup is cut off: /),
      ])
    }
  })

  test('wherever the text is cut off, and packed again', async () => {
    for (let length = 0; length < TEXT.length; length += 3) {
      const said = await check(gzipSync(Buffer.from(TEXT).subarray(0, length)))
      expect([length, said]).toEqual([length, expect.stringMatching(/^backup\/(?:damaged|not_a_backup): /)])
    }
  })

  test('whichever bit of the file was changed: or all that is in it is as it was', async () => {
    // Flags, time and system at the head of a gzip file and the last bits before its checksum say nothing.
    let whole = 0
    for (let at = 0; at < WHOLE.length; at++) {
      for (const bit of [1, 128]) {
        const changed = Buffer.from(WHOLE)
        changed[at]! ^= bit
        const said = await check(changed)
        expect([at, said]).toEqual([at, expect.stringMatching(/^backup\/|^whole, 7 rows$/)])
        if (said.startsWith('whole')) whole += 1
      }
    }
    expect(whole).toBeLessThanOrEqual(16)
  })

  test('whichever byte of the text was changed, and packed again', async () => {
    for (let at = 0; at < TEXT.length; at++) {
      const changed = Buffer.from(TEXT)
      changed[at]! ^= 1
      const said = await check(gzipSync(changed))
      expect([at, said]).toEqual([
        at,
        expect.stringMatching(/^backup\/(?:damaged|not_a_backup|newer_version): /),
      ])
    }
  })

  for (const [name, file] of [
    ['text', Buffer.concat([WHOLE, Buffer.from('garbage')])],
    ['zeros', Buffer.concat([WHOLE, Buffer.alloc(100)])],
    ['itself', Buffer.concat([WHOLE, WHOLE])],
    ['something packed', Buffer.concat([WHOLE, gzipSync('x')])],
    ['text that is packed with it', gzipSync(`${TEXT}x`)],
    ['a newline that is packed with it', gzipSync(`${TEXT}\n`)],
  ] as const) {
    test(`when it is followed by ${name}`, async () => {
      expect(await check(file)).toMatch(/^backup\/damaged: .*goes on after its end/)
    })
  }

  for (const [name, change, says] of [
    ['a row is missing', (text: string) => text.replace('0\t1\n', ''), 'has other rows of bucket'],
    [
      'rows changed places',
      (text: string) => text.replace('1\n2\n', '2\n1\n'),
      'has other rows of usage_event',
    ],
    [
      'a table is missing',
      (text: string) => text.replace(/\{"table":"cycle"[^]*?\}\n[^]*?\}\n/, ''),
      'its digest differs',
    ],
    [
      'the count of a table differs',
      (text: string) => text.replace('"usage_event":2', '"usage_event":3'),
      'its digest differs',
    ],
    [
      'a line is longer than any',
      () => `${TEXT.split('\n')[0]}\n${' '.repeat(BACKUP_LINE_BYTES_MAX + 1)}`,
      'is cut off',
    ],
  ] as const) {
    test(`when ${name}`, async () => {
      const changed = change(TEXT)
      expect(changed).not.toBe(TEXT)
      expect(await check(gzipSync(changed))).toContain(says)
    })
  }
})

test('a line may be as long as its limit', async () => {
  const [first, ...others] = TEXT.split('\n')
  const padded = first!.padEnd(BACKUP_LINE_BYTES_MAX - 1)
  expect(await check(gzipSync([padded, ...others].join('\n')))).toContain('its digest differs')
  const long = `${first!.padEnd(BACKUP_LINE_BYTES_MAX + 1)}${' '.repeat(1_000_000)}\n`
  expect(await check(gzipSync(long + others.join('\n')))).toContain('backup/not_a_backup')
})

describe('what is no backup', () => {
  for (const [name, file] of [
    ['an empty file', Buffer.alloc(0)],
    ['text', Buffer.from('id,amount\n1,2\n')],
    ['zeros', Buffer.alloc(1_000)],
    ['packed text', gzipSync('id,amount\n1,2\n')],
    ['packed nothing', gzipSync('')],
    ['packed JSON', gzipSync('{"specversion":"1.0"}\n')],
    ['an unpacked backup', Buffer.from(TEXT)],
  ] as const) {
    test(`is said to be none: ${name}`, async () => {
      expect(await check(file)).toMatch(/^backup\/not_a_backup: /)
    })
  }

  test('is a folder, or not there', async () => {
    for (const path of [folder, join(folder, 'none')]) {
      expect(await checkBackup(path, () => {})).toMatchObject({ ok: false, code: 'backup/file_unreadable' })
    }
  })
})

// Guarantee: how the bytes are cut on their way never matters.
test('rows come out as they went in, however they are cut', async () => {
  const row = fc.stringMatching(/^(?:[a-z\t.]|\\\\|\\N|\\n){0,6}$/)
  const cuts = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 })
  await fc.assert(
    fc.asyncProperty(fc.array(row), cuts, async (rows, lengths) => {
      const body = rows.map((one) => `${one}\n`).join('')
      const bytes = new UnpackedBytes(cut(Buffer.from(`head\n${body}\\.\ntail\n`), lengths))
      expect(String(await bytes.line(10))).toBe('head\n')
      const found: Buffer[] = []
      for await (const some of bytes.rows()) found.push(some)
      expect(Buffer.concat(found).toString()).toBe(body)
      expect(String(await bytes.line(10))).toBe('tail\n')
      expect(await bytes.isAtEnd()).toBe(true)
    }),
  )
})

async function* cut(bytes: Buffer, lengths: readonly number[]): AsyncGenerator<Buffer> {
  for (let at = 0, index = 0; at < bytes.length; index++) {
    const length = lengths[index % lengths.length]!
    yield bytes.subarray(at, at + length)
    at += length
  }
}
