import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { COMMAND_WORDS, DOING_WORDS, inCommands } from '../../src/cli/client/command-words.ts'
import { makeProgram } from '../../src/cli/program.ts'
import { ROUTES } from '../../src/http/routes.ts'

// Guarantee: what a message of the API calls by an address, the command line calls by a command that there is.

const never = () => Promise.reject(new Error('nothing is run here'))
const program = makeProgram(
  { serve: never, readSettings: () => ({ ok: false, detail: '' }) },
  () => undefined,
)

/** Whether the program has the command, and each option that is named with it. */
function exists(words: readonly string[]): boolean {
  const [name, ...rest] = words
  if (name !== 'farthing') return false
  let command: Command = program
  for (const word of rest) {
    if (word.startsWith('--')) {
      if (!command.options.some(({ long }) => long === word)) return false
      continue
    }
    const child = command.commands.find((each) => each.name() === word)
    if (!child) return command.registeredArguments.length > 0 && command !== program
    command = child
  }
  return command !== program
}

const commands = [...COMMAND_WORDS, ...DOING_WORDS].map(([, command]) =>
  command.replaceAll(/[`()]|with /g, ''),
)

for (const command of commands) {
  test(`the program has ${command}`, () => {
    expect(exists(command.replace('$1', 'x').split(' '))).toBe(true)
  })
}

test('a command that there is not is noticed', () => {
  for (const command of ['farthing bill-list', 'farthing keys lists', 'farthing held --event', 'farthing']) {
    expect([command, exists(command.split(' '))]).toEqual([command, false])
  }
})

test('every address is one of the API', () => {
  const urls = new Set(ROUTES.map(({ url }) => url))
  expect(COMMAND_WORDS.filter(([address]) => !urls.has(address))).toEqual([])
})

const ROOT = fileURLToPath(new URL('../../src', import.meta.url))
/** A text that advises an address, as it stands in the sources. */
const ADVICE = /(?:see|with|\() ?(?:(?:GET|POST|PUT|DELETE) )?\/v1\/[\w/${}-]+/g

test('whatever address a message advises, the command line has a command for it', () => {
  const advised = ['core', 'flows', 'http/routes', 'http/body', 'http'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.includes('test'))
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
      .flatMap((text) => text.match(ADVICE) ?? []),
  )
  expect(advised.length).toBeGreaterThan(8)
  const said = advised.map((text) =>
    inCommands(`${text.replace(/\$\{\w+\}/, 'key_1')}${text.startsWith('(') ? ')' : ''}`),
  )
  expect(said.filter((text) => text.includes('/v1/'))).toEqual([])
})
