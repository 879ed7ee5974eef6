import type { Command } from 'commander'
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { makeProgram } from '../../src/cli/program.ts'
import { ROUTES } from '../../src/http/routes.ts'

// Guarantee: what the README says is missing is missing, every command and route that it names elsewhere is there, and it
// leads to every document.

const README = readFileSync('README.md', 'utf8')
const MISSING = /^## What it cannot do yet$([\s\S]*?)^## /m.exec(README)![1]!
const REST = README.replace(MISSING, '')

const surroundings = { serve: () => expect.fail(), readSettings: () => expect.fail() }
const COMMANDS = new Set(namesOf(makeProgram(surroundings, () => undefined)))

function namesOf(command: Command, prefix = ''): readonly string[] {
  return command.commands.flatMap((child) => {
    const names = [child.name(), ...child.aliases()].map((name) => `${prefix}${name}`)
    return [...names, ...names.flatMap((name) => namesOf(child, `${name} `))]
  })
}

/** `farthing price-book check acme.yaml` names the command `price-book check`, as far as its words are lower case. */
function commandsIn(text: string): readonly string[] {
  const found = text.matchAll(/(?:bin\/)?\bfarthing ((?:[a-z][a-z-]* ?)+)/g)
  return [...found].map(([, words = '']) => words.trim())
}

function routesIn(text: string): readonly string[] {
  return [...text.matchAll(/\/v1\/[a-z-]+(?:\/[a-z-]+)?/g)].map(([path]) => path)
}

function isCommand(words: string): boolean {
  const [first = '', second = ''] = words.split(' ')
  return (
    COMMANDS.has(`${first} ${second}`) || (COMMANDS.has(first) && (second === '' || !hasSubcommands(first)))
  )
}

function hasSubcommands(name: string): boolean {
  return [...COMMANDS].some((one) => one.startsWith(`${name} `))
}

function isRoute(path: string): boolean {
  return ROUTES.some(({ url }) => url === path || url.startsWith(`${path}/`) || url.startsWith(`${path}:`))
}

test('what the README says is missing is missing', () => {
  const [commands, routes] = [commandsIn(MISSING), routesIn(MISSING)]
  expect(commands.length).toBeGreaterThan(0)
  expect(routes.length).toBeGreaterThan(0)
  expect(commands.filter(isCommand)).toEqual([])
  expect(routes.filter(isRoute)).toEqual([])
})

test('the routes that the README uses are there', () => {
  const used = routesIn(REST).filter((path) => !path.startsWith('/v1/images'))
  expect(used.length).toBeGreaterThan(3)
  expect(used.filter((path) => !isRoute(path) && !isRoute(path.split('/').slice(0, 3).join('/')))).toEqual([])
})

test('the commands that the README uses are there', () => {
  const used = [...REST.matchAll(/bin\/farthing ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?/g)]
  expect(used.length).toBeGreaterThan(8)
  const unknown = used.filter(([, first = '', second = '']) => !isCommand(`${first} ${second}`))
  expect(unknown.map(([text]) => text)).toEqual([])
})

test('the README leads to every document', () => {
  const pages = readdirSync('docs').filter((name) => name.endsWith('.md'))
  expect(pages.length).toBeGreaterThan(10)
  expect(
    pages.filter((name) => !README.includes(`(docs/${name})`) && name !== 'performance-journal.md'),
  ).toEqual([])
})

test('the check sees a claim that is wrong', () => {
  expect(isCommand('verify')).toBe(true)
  expect(isCommand('price-book check')).toBe(true)
  expect(isCommand('price-book simulate')).toBe(false)
  expect(isRoute('/v1/bills')).toBe(true)
  expect(isRoute('/v1/statements')).toBe(false)
})
