import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { BACKED_UP, LEFT_OUT } from '../../src/store/backed-up-tables.ts'

const PAGE = readFileSync(new URL('../../docs/backup.md', import.meta.url), 'utf8')

test('docs/backup.md lists the tables that no backup has, and no other', () => {
  const [, section = ''] = PAGE.split('## Tables that no backup has')
  const listed = [...section.matchAll(/^\| `(\w+)` \| .{10,} \|$/gm)].map(([, table]) => table)
  expect(listed).toEqual(Object.keys(LEFT_OUT))
})

test('a table is either in a backup or left out', () => {
  expect(BACKED_UP.filter(({ table }) => table in LEFT_OUT)).toEqual([])
})
