import { Validator } from '@seriousme/openapi-schema-validator'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { describe, expect, test } from 'vitest'
import { TAGS } from '../../src/api/endpoint.ts'
import { describeApi } from '../../src/http/api/openapi.ts'
import { EXAMPLES } from '../../src/http/api/openapi-examples.ts'
import { plainSchema } from '../../src/http/api/openapi-schemas.ts'
import { ROUTES } from '../../src/http/routes.ts'

// Guarantee: openapi.json is a document of OpenAPI 3.1 that says of each operation all that a reader, and a generator of
// clients, looks for.

interface Operation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly description: string
  readonly security: readonly object[]
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly example?: unknown }>> }
  readonly responses: Readonly<Record<string, object>>
}

const DOCUMENT = JSON.parse(JSON.stringify(describeApi(ROUTES))) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
  readonly info: { readonly license: object; readonly contact: object; readonly version: string }
  readonly servers: readonly { readonly url: string }[]
  readonly tags: readonly { readonly name: string; readonly description: string }[]
}

const OPERATIONS = Object.values(DOCUMENT.paths).flatMap((path) => Object.values(path))

test('it is valid', async () => {
  const { valid, errors } = await new Validator().validate(structuredClone(DOCUMENT))
  expect(errors ?? []).toEqual([])
  expect(valid).toBe(true)
})

test('the validator finds what is wrong', async () => {
  const broken = { ...structuredClone(DOCUMENT), paths: { '/x': { get: { responses: { 200: {} } } } } }
  expect((await new Validator().validate(broken as never)).valid).toBe(false)
})

test('it says what it is, under which licence, whom to ask, and where the server is', () => {
  expect(DOCUMENT.info).toMatchObject({
    license: { identifier: 'Apache-2.0' },
    contact: expect.any(Object) as object,
  })
  expect(DOCUMENT.servers).toHaveLength(1)
  expect(DOCUMENT.tags.map(({ name }) => name)).toEqual(Object.keys(TAGS))
})

describe('every operation', () => {
  test('has an id of its own, a tag that is listed, a summary and a description', () => {
    expect(new Set(OPERATIONS.map(({ operationId }) => operationId)).size).toBe(ROUTES.length)
    for (const { operationId, tags, summary, description } of OPERATIONS) {
      expect([operationId, tags.length, Object.keys(TAGS).includes(tags[0]!)]).toEqual([operationId, 1, true])
      expect([operationId, /^[A-Z].{5,}[^.]$/.test(summary)]).toEqual([operationId, true])
      expect([operationId, /^[A-Z].{20,}\.$/.test(description)]).toEqual([operationId, true])
    }
    expect(new Set(OPERATIONS.map(({ tags }) => tags[0]))).toEqual(new Set(Object.keys(TAGS)))
  })

  test('has a good answer, its refusals, and says which key it needs', () => {
    for (const { method, url, access } of ROUTES) {
      const operation =
        DOCUMENT.paths[url.replace(/:(\w+)/g, '{$1}').replace('*', '{path}')]![method.toLowerCase()]!
      const statuses = Object.keys(operation.responses)
      expect([url, statuses.some((status) => status < '300')]).toEqual([url, true])
      expect(statuses).toEqual(expect.arrayContaining(['400', '500', '503']))
      expect([url, statuses.includes('401'), operation.security.length > 0]).toEqual([
        url,
        access !== 'open',
        access !== 'open',
      ])
    }
  })

  test('with a body has an example of it for each type', () => {
    for (const { operationId, requestBody } of OPERATIONS) {
      for (const [type, { example }] of Object.entries(requestBody?.content ?? {})) {
        expect([operationId, type, example === undefined]).toEqual([operationId, type, false])
      }
    }
  })
})

test('every example has the form of its schema', () => {
  const routes = new Map(ROUTES.map((route) => [`${route.method} ${route.url}`, route]))
  for (const [name, { body = {}, answer }] of Object.entries(EXAMPLES)) {
    const { body: bodies = {}, answers } = routes.get(name)!
    for (const [type, example] of Object.entries(body)) {
      expect([name, type, Compile(bodies[type]!).Errors(example)]).toEqual([name, type, []])
    }
    if (answer === undefined) continue
    const [schema] = Object.values(answers)
    expect([name, Compile(schema as TSchema).Errors(answer)]).toEqual([name, []])
  }
})

test('schemas have names, which are used, and every reference leads to one', () => {
  const text = JSON.stringify(DOCUMENT)
  const used = new Set([...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name!))
  const known = Object.keys(DOCUMENT.components.schemas)
  expect([...used].sort()).toEqual(known)
  for (const name of [
    'Bill',
    'BillHead',
    'Line',
    'Decimal',
    'Problem',
    'UsageRow',
    'Account',
    'ShownKey',
    'Outcomes',
  ]) {
    expect([name, used.has(name)]).toEqual([name, true])
  }
  expect(text).not.toContain('"x-fix"')
})

test('a schema is what it was before it was shortened', () => {
  const { schemas } = DOCUMENT.components
  const whole = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map(whole)
    const { $ref } = value as { readonly $ref?: string }
    if ($ref !== undefined) return whole(schemas[$ref.split('/').at(-1)!])
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, whole(one)]))
  }
  for (const { method, url, answers } of ROUTES) {
    const operation =
      DOCUMENT.paths[url.replace(/:(\w+)/g, '{$1}').replace('*', '{path}')]![method.toLowerCase()]!
    for (const [status, schema] of Object.entries(answers)) {
      const { content } = operation.responses[status] as {
        readonly content?: Readonly<Record<string, { readonly schema: object }>>
      }
      if (content) expect([url, whole(Object.values(content)[0]!.schema)]).toEqual([url, plainSchema(schema)])
    }
  }
})
