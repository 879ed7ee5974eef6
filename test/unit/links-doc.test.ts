import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'

const FOLDERS = ['.', 'docs', 'scenarios', 'samples']

function documents(): readonly string[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  )
}

/** Without blocks and spans of code, where brackets mean something else. */
function proseOf(markdown: string): string {
  return markdown.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '')
}

/** The links of a document to files of the project: `docs/errors.md#held`. */
function linksOf(markdown: string): readonly string[] {
  const links = [...proseOf(markdown).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
  return links.filter((target) => !/^[a-z]+:/.test(target))
}

/** The anchors that a page gives its headings. */
function anchorsOf(markdown: string): readonly string[] {
  const headings = [...markdown.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/^#+ (.+)$/gm)]
  return headings.map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  )
}

function broken(path: string, target: string): boolean {
  const [file = '', anchor] = target.split('#')
  const linked = file === '' ? path : join(dirname(path), file)
  if (!existsSync(linked)) return true
  return anchor !== undefined && !anchorsOf(readFileSync(linked, 'utf8')).includes(anchor)
}

test('every link in the documents leads somewhere', () => {
  const links = documents().flatMap((path) =>
    linksOf(readFileSync(path, 'utf8')).map((target) => ({ path, target })),
  )
  expect(links.length).toBeGreaterThan(30)
  expect(links.filter(({ path, target }) => broken(path, target))).toEqual([])
})

test('a link that leads nowhere is seen', () => {
  expect(linksOf('[a](b.md) `[c](d)` [e](https://example.com) [f](#g)')).toEqual(['b.md', '#g'])
  expect(anchorsOf('# A `b`: c, d!\n## E')).toEqual(['a-b-c-d', 'e'])
  expect([broken('docs/a.md', 'none.md'), broken('docs/errors.md', '#none')]).toEqual([true, true])
  expect([broken('docs/a.md', 'errors.md'), broken('docs/errors.md', '#events')]).toEqual([false, false])
})
