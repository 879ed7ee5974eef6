import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ROUTES } from '../../src/http/routes.ts'

const page = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8')

test('docs/api.md lists every route with its scope, and no other', () => {
  const rows = [
    ...page.matchAll(/^\| (GET|POST|PUT|DELETE) \| \[?`([^`]+)`.*? \| `?([\w:]+)`? \| (\w*) ?\|$/gm),
  ]
  const documented = rows.map(([, method, url, scope, bound]) => [method, url, scope, bound])
  const real = ROUTES.map(({ method, url, access }) => {
    return access === 'open' ? [method, url, 'open', ''] : [method, url, access.scope, access.boundKeys]
  })
  expect(documented.map(String).sort()).toEqual(real.map(String).sort())
})

test('docs/api.md names every parameter', () => {
  for (const { url, query } of ROUTES) {
    for (const name of Object.keys(query?.properties ?? {})) {
      expect([url, name, page.includes(`\`${name}\``) || page.includes(`${name}=`)]).toEqual([
        url,
        name,
        true,
      ])
    }
  }
})
