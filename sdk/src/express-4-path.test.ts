import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { type Express4Path, writtenPaths } from './express-4-path.ts'

/** The package that Express 4 has, as it has it. */
const express4 = createRequire(import.meta.url).resolve('express4')
const pathToRegexp = createRequire(express4)('path-to-regexp') as (
  path: unknown,
  keys: NonNullable<Express4Path['keys']>,
  options: object,
) => RegExp

const PATHS: readonly (string | RegExp)[] = [
  '/',
  '/users/:user',
  '/users/:user/items',
  '/a/:b?',
  '/a/:id(\\d+)',
  '/a/:id(\\d+)?/c',
  '/a/:b(foo|bar)',
  '/a/:b([a-z]+)/:c',
  '/files/*',
  '*',
  '/ab?cd',
  '/ab+cd',
  '/a(bc)?d',
  '/a.:ext',
  '/a/:b.json',
  '/:from-:to',
  '/flights/:from.:to',
  '/x/:y*',
  '/x/:y+',
  '/café/~u@h,;=&!$',
  /^\/u\/(\d+)/,
  /user/i,
]

test.each([
  ['a router', { end: false, strict: false }],
  ['a route', { end: true, strict: false }],
  ['a strict route', { end: true, strict: true }],
] as const)('what Express 4 keeps of a path of %s is read back as it was written', (_, options) => {
  for (const path of PATHS) {
    const keys: NonNullable<Express4Path['keys']> = []
    const regexp = pathToRegexp(path, keys, options)
    expect(writtenPaths({ regexp, keys }).map((one) => one.path)).toEqual([path])
  }
})

test('of several paths, each is read back, with what it matches', () => {
  const keys: NonNullable<Express4Path['keys']> = []
  const regexp = pathToRegexp(['/users/:user', '/teams/:team/*'], keys, { end: false })
  const found = writtenPaths({ regexp, keys })
  expect(found.map(({ path }) => path)).toEqual(['/users/:user', '/teams/:team/*'])
  expect(found.map((one) => one.regexp.test('/teams/7/x'))).toEqual([false, true])
})
