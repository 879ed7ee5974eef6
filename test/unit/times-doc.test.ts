import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { RELATIVE_FORMS, TIME_FORMS, type TimeForm } from '../../src/core/time/time-forms.ts'

function rowsOf(forms: readonly TimeForm[]): readonly string[] {
  return forms.map(({ name, example, means }) => `| ${name} | \`${example}\` | ${means} |`)
}

test('the pages have the forms of times that the code has', () => {
  for (const [page, forms] of [
    ['docs/api.md', TIME_FORMS],
    ['docs/cli.md', RELATIVE_FORMS],
  ] as const) {
    const lines = readFileSync(page, 'utf8').split('\n')
    const written = lines.filter((line) => /^\| [^|]+ \| `[^|]+` \| \d{4}-\d{2}-\d{2}T\S+ \|$/.test(line))
    expect(written).toEqual(rowsOf(forms))
  }
})
