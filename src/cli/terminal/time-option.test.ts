import { Command, CommanderError } from 'commander'
import { expect, test } from 'vitest'
import { CommandFailed } from './command-failed.ts'
import { readTime, withRange } from './time-option.ts'

/** What a command gets of a command line, or what is said to the person. */
function rangeOf(...argv: readonly string[]): object | string {
  let said = ''
  let range: object = {}
  const command = withRange(new Command('list'), 'hours')
    .exitOverride()
    .configureOutput({ writeErr: (text) => (said += text) })
    .action(({ from, to }: { from?: string; to?: string }) => void (range = { from, to }))
  try {
    command.parse(argv, { from: 'user' })
    return range
  } catch (error) {
    if (error instanceof CommandFailed) return error.message
    if (error instanceof CommanderError) return said
    throw error
  }
}

const JULY = { from: '2025-07-01T00:00:00.000Z', to: '2025-08-01T00:00:00.000Z' }
const EMPTY = 'so nothing is between them: --to is the first instant that no longer belongs to the range'

const RANGES: readonly (readonly [argv: string, is: object | RegExp])[] = [
  ['', {}],
  ['--month 2025-07', JULY],
  ['--from 2025-07 --to 2025-08', JULY],
  ['--from 2025-07-01T00Z --to 2025-08-01T02:00+02:00', JULY],
  ['--from 2025-07', { from: JULY.from }],
  ['--to 2025-08', { to: JULY.to }],
  ['--from 2025-07 --to 2025-07', new RegExp(`both 2025-07-01T00:00:00.000Z, ${EMPTY}`)],
  ['--from 2025-07-28 --to 2025-07-28', new RegExp(EMPTY)],
  ['--from 2025-08 --to 2025-07', /--to 2025-07-01T00:00:00.000Z is before --from 2025-08-01/],
  ['--month 2025-07 --to 2025-08', /--month says both --from and --to/],
  ['--month 2025-13', /Write a month of the calendar such as 2025-07/],
  ['--month 2025-07-01', /Write a month of the calendar such as 2025-07/],
  ['--from 2025-7', /Write an RFC 3339 time .*2025-07-28T11:30:00.*2025-07\).*2025-07-28T09Z.*-2h/],
  ['--from 2025-07-28T09:00:00', /It has no offset\. Write/],
  ['--to 2025-02-30', /The calendar has no such time\. Write/],
]
for (const [argv, is] of RANGES) {
  test(`${argv || 'nothing'} ${is instanceof RegExp ? 'is refused' : 'is a range'}`, () => {
    const range = rangeOf(...argv.split(' ').filter((one) => one !== ''))
    if (is instanceof RegExp) expect((range as string).replaceAll('\n', ' ')).toMatch(is)
    else expect(range).toEqual(is)
  })
}

test('times that depend on the clock are those of now', () => {
  const ago = Date.now() - Date.parse(readTime('-2h'))
  expect(ago).toBeGreaterThanOrEqual(7_200_000)
  expect(ago).toBeLessThan(7_260_000)
  expect(rangeOf('--from', '-2h', '--to', 'now')).toMatchObject({ from: expect.any(String) as unknown })
  expect(Date.parse(readTime('today')) - Date.parse(readTime('yesterday'))).toBe(86_400_000)
})
