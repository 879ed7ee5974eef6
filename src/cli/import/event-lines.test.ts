import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { LINE_BYTES_MAX, openEventFile } from './event-lines.ts'

const folder = mkdtempSync(join(tmpdir(), 'farthing-lines-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function linesOf(
  content: string | Buffer,
): Promise<readonly (readonly [number, string | undefined])[]> {
  const path = join(folder, 'events')
  writeFileSync(path, content)
  const lines: [number, string | undefined][] = []
  for await (const { number, bytes } of openEventFile(path).lines) lines.push([number, bytes?.toString()])
  return lines
}

test('lines are numbered from 1; blank ones count, and are left out', async () => {
  const lines = [
    [1, 'a'],
    [4, 'b'],
    [5, 'c'],
  ]
  expect(await linesOf('\ufeffa\r\n\n \t\r\nb\nc')).toEqual(lines)
  expect(await linesOf('')).toEqual([])
  expect(await linesOf('\n\n')).toEqual([])
})

test('gzip is told by its first bytes, and may be in several parts', async () => {
  const packed = Buffer.concat([gzipSync('a\nb'), gzipSync('c\nd\n')])
  expect(await linesOf(packed)).toEqual([
    [1, 'a'],
    [2, 'bc'],
    [3, 'd'],
  ])
  expect(await linesOf(gzipSync(''))).toEqual([])
  expect(await linesOf('x')).toEqual([[1, 'x']])
})

test('a line that is too long is known by its number, and its neighbours are whole', async () => {
  const long = 'x'.repeat(LINE_BYTES_MAX)
  expect(await linesOf(`a\n${long}y\n${long}\nb`)).toEqual([
    [1, 'a'],
    [2, undefined],
    [3, long],
    [4, 'b'],
  ])
})

// Guarantee: what is read does not depend on where the file is cut into chunks, packed or not.
test('every line is read, whatever its length', async () => {
  const anyLine = fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }), fc.constant('é'.repeat(40_000)))
  const lines = fc.array(
    anyLine.map((line) =>
      line
        .toWellFormed()
        .replaceAll(/[\r\n]/g, '')
        .trim(),
    ),
    { maxLength: 20 },
  )
  await fc.assert(
    fc.asyncProperty(lines, fc.boolean(), async (texts, isPacked) => {
      const whole = texts.map((text) => `{${text}`).join('\n')
      const read = await linesOf(isPacked ? gzipSync(whole) : whole)
      expect(read).toEqual(texts.map((text, at) => [at + 1, `{${text}`]))
    }),
    { numRuns: 50 },
  )
})

test('a file that is cut off is an error, after the lines that are whole', async () => {
  const packed = gzipSync('a\nb\n'.repeat(1000))
  await expect(linesOf(packed.subarray(0, -10))).rejects.toThrow(/is gzip, but damaged or cut off/)
  expect(() => openEventFile(join(folder, 'none'))).toThrow(/cannot be read \(no such file or directory\)/)
})
