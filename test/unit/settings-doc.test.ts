import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { serverAddress } from '../../src/cli/client/server-address.ts'
import { makeProgram } from '../../src/cli/program.ts'
import { readSettings } from '../../src/config.ts'
import { VARIABLES } from '../../src/flows/start/environment.ts'

/** The names that a piece of code asks an environment for. */
function namesAskedBy(read: (env: Record<string, string>) => unknown): readonly string[] {
  const asked = new Set<string>()
  const env = new Proxy<Record<string, string>>(
    {},
    { get: (_, name) => (asked.add(String(name)), name === 'FARTHING_KEY' ? 'frt_x' : undefined) },
  )
  read(env)
  return [...asked].toSorted()
}

function namesOf(...readers: readonly string[]): readonly string[] {
  return VARIABLES.filter((one) => readers.includes(one.of))
    .map(({ name }) => name)
    .toSorted()
}

test('the table of variables has those that are read, and no other', () => {
  expect(namesAskedBy((env) => readSettings(env, '/'))).toEqual(namesOf('server', 'both'))
  const asked = new Set([
    ...namesAskedBy((env) => serverAddress({}, env)),
    // The data directory is only looked at when there is no key.
    ...namesAskedBy((env) => {
      const keyless = new Proxy(env, {
        get: (target, name) => (target[String(name)], name === 'FARTHING_DATA_DIR' ? '/nowhere' : undefined),
      })
      expect(() => serverAddress({}, keyless)).toThrow('/nowhere')
    }),
  ])
  expect([...asked].toSorted()).toEqual(namesOf('client', 'both'))
})

test('docs/cli.md and the help of serve have the table', () => {
  const reader = { server: 'server', client: 'commands', both: 'all' }
  const rows = VARIABLES.map(
    ({ name, fallback, says, of }) =>
      `| \`${name}\` | ${fallback ? `\`${fallback}\`` : '—'} | ${says} | ${reader[of]} |`,
  )
  const page = readFileSync('docs/cli.md', 'utf8').split('\n')
  const written = page.filter((line) => /^\| `(?:[A-Z]+_)*[A-Z]+` \|/.test(line))
  expect(written).toEqual(rows)

  const never = () => Promise.reject(new Error('not run'))
  const program = makeProgram(
    { serve: never, readSettings: () => ({ ok: false, detail: '' }) },
    () => undefined,
  )
  let help = ''
  const serve = program.commands.find((command) => command.name() === 'serve')!
  serve.configureOutput({ writeOut: (text) => (help += text) })
  serve.outputHelp()
  for (const { name, says, of } of VARIABLES) {
    expect([name, help.includes(`\n  ${name.padEnd(26)}${says}`)]).toEqual([name, of !== 'client'])
  }
})

test('the table says the bounds that values have', () => {
  for (const { name, says, fallback, of } of VARIABLES) {
    if (of === 'client' || fallback === '') continue
    expect([name, readSettings({ [name]: fallback }, '/').ok]).toEqual([name, true])
    const bounds = /: (\d+[smhd]?) to (\d+[smhd]?)$/.exec(says)
    if (!bounds) continue
    for (const bound of bounds.slice(1)) {
      expect([name, bound, readSettings({ [name]: bound }, '/').ok]).toEqual([name, bound, true])
    }
    const [, most = ''] = /^(\d+)/.exec(bounds[2]!) ?? []
    const beyond = bounds[2]!.replace(most, String(Number(most) + 1))
    expect(readSettings({ [name]: beyond }, '/')).toMatchObject({
      detail: `${name} is "${beyond}": set it to ${bounds[1]} to ${bounds[2]}.`,
    })
  }
})
