import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { makeProgram } from './program.ts'

const DOCS = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8')
/** Explained once for all commands. */
const COMMON = ['--help', '--url', '--json', '--limit', '--from', '--to', '--month', '--account']

const never = () => Promise.reject(new Error('nothing is run here'))
const program = makeProgram(
  { serve: never, readSettings: () => ({ ok: false, detail: '' }) },
  () => undefined,
)

interface Leaf {
  readonly name: string
  readonly command: Command
}

/** Short forms of other commands are not listed. */
function isShown(command: Command): boolean {
  return !['bill', 'void'].includes(command.name())
}

function leaves(command: Command, prefix = ''): readonly Leaf[] {
  return command.commands.filter(isShown).flatMap((child) => {
    const name = `${prefix}${child.name()}`
    return child.commands.length > 0 ? leaves(child, `${name} `) : [{ name, command: child }]
  })
}

function section(name: string): string | undefined {
  return DOCS.split(/^## /m).find((part) => part.startsWith(`${name}\n`))
}

test('docs/cli.md has a section and a row for each command, and no other', () => {
  const names = leaves(program).map(({ name }) => name)
  const headings = [...DOCS.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading!).slice(1)
  expect(headings.toSorted()).toEqual(names.toSorted())
  expect([...DOCS.matchAll(/^\| \[`(.+)`\]/gm)].map(([, name]) => name)).toEqual(headings)
})

for (const { name, command } of leaves(program)) {
  test(`${name}: every option is explained, and the help has a description`, () => {
    const options = command.options.map(({ long }) => long!).filter((long) => !COMMON.includes(long))
    expect(options.filter((long) => !section(name)?.includes(long))).toEqual([])
    expect(command.description()).not.toBe('')
    expect(command.summary() || command.description()).toMatch(/^[A-Za-z]/)
  })
}
