import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { importCircles } from './import-circles.ts'
import { FILE_LINES_MAX, FUNCTION_LINES_MAX, tidy } from './tidy.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const FOLDERS = ['src', 'bench', 'test', 'sdk', 'console', 'media', 'bin', 'docs', 'price-books', 'scenarios']
const CHECKED = /\.(?:tsx?|mjs|sql|md|ya?ml|json)$/
const NOT_OURS = /(?:^|\/)(?:node_modules|dist|coverage)\//

function filesBelow(folder: string): string[] {
  if (!existsSync(join(ROOT, folder))) return []
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter((path) => CHECKED.test(path) && !NOT_OURS.test(path))
}

function filesAtRoot(): string[] {
  return readdirSync(ROOT).filter((name) => CHECKED.test(name) && name !== 'package-lock.json')
}

test('the tree is tidy', () => {
  const files = [...filesAtRoot(), ...FOLDERS.flatMap(filesBelow)]
  expect(files.length).toBeGreaterThan(50)
  expect(files.flatMap((path) => tidy(path, readFileSync(join(ROOT, path), 'utf8')))).toEqual([])
})

test('no files import each other in a circle', () => {
  const paths = ['src', 'sdk', 'bench'].flatMap(filesBelow).filter((path) => path.endsWith('.ts'))
  expect(paths.length).toBeGreaterThan(300)
  const texts = new Map(paths.map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]))
  expect(importCircles(texts)).toEqual([])
})

test('a circle is found, also one of types by way of a third file', () => {
  const files = new Map([
    ['src/a.ts', "import { b } from './b/b.ts'"],
    ['src/b/b.ts', "import type { C } from '../c.ts'"],
    ['src/c.ts', "import { a } from './a.ts'\nimport { d } from './d.ts'"],
    ['src/d.ts', "import fs from 'node:fs'"],
  ])
  expect(importCircles(files)).toEqual([['src/a.ts', 'src/b/b.ts', 'src/c.ts']])
})

const long = (lines: number) => Array<string>(lines).fill('  x += 1').join('\n')
// In parts, so that this file is tidy itself.
const FIX = ['FIX', 'ME'].join('')
const TAKEN = ['tak', 'en'].join('')
const ONCE_MORE = ['an', 'ew'].join('')
const RETIRED: readonly (readonly [words: readonly string[], say: string])[] = [
  [['tak', 'e usage back'], 'write void'],
  [['Tak', 'ing usage back'], 'write void'],
  [['tak', 'es it back'], 'write void'],
  [['a sign of li', 'fe'], 'write heartbeat'],
  [['clock dou', 'bts'], 'write clock jump'],
  [['the bill prom', 'ise'], 'write billing SLA'],
  [['cycle ac', 'ts'], 'write adjustments'],
  [['event stor', 'ies'], 'write event timeline'],
  [['a waiting li', 'ne'], 'write commit queue'],
  [['history hou', 'rs'], 'write backfill'],
  [['a foreign for', 'm'], 'write compat'],
  [['Whoe', 'ver sends'], 'write anyone who'],
  [['nothing of', ' it'], 'write leave it out'],
]
const PATH = ['', ''].join('/')

// A checker that silently checks nothing is the usual way in which checkers die. Each rule sees its own kind
// of mistake …
const SEEN: readonly [path: string, text: string, say: string][] = [
  [
    'src/core/money/a.ts',
    "import { b } from '../time/hour.ts'\nimport { c } from '../ingest/c.ts'",
    '2: imports',
  ],
  ['src/core/ingest/a.ts', "import type { b } from '../rate/b.ts'", 'later in the data flow'],
  ['src/core/bill/a.ts', "export { b } from '../present/b.ts'", 'later in the data flow'],
  ['src/core/rate/a.ts', "export * from '../bill/b.ts'", 'later in the data flow'],
  ['src/core/rate/a.ts', "type B = import('../bill/b.ts').B", 'later in the data flow'],
  ['src/store/a.ts', "const b = await import('../flows/read/b.ts')", 'later in the data flow'],
  ['src/flows/ingest/a.ts', "import { b } from '../settle/b.ts'", 'later in the data flow'],
  ['src/flows/shared/a.ts', "import { b } from '../prices/b.ts'", 'later in the data flow'],
  ['src/flows/keys/a.ts', "import { b } from '../accounts/b.ts'", 'neighbours stay apart'],
  ['src/flows/read/a.ts', "import { b } from '../verify/b.ts'", 'neighbours stay apart'],
  ['src/flows/settle/a.ts', "import { b } from '../background-jobs.ts'", 'later in the data flow'],
  ['src/flows/read/a.ts', "import { b } from '../../http/b.ts'", 'later in the data flow'],
  ['src/http/a.ts', "import { b } from '../cli/b.ts'", 'neighbours stay apart'],
  ['src/cli/a.ts', "import { b } from '../config.ts'", 'later in the data flow'],
  ['src/api/a.ts', "import { b } from '../http/b.ts'", 'later in the data flow'],
  ['src/flows/read/a.ts', "import type { b } from '../../api/b.ts'", 'later in the data flow'],
  ['src/novel/a.ts', "import { b } from '../core/bill/b.ts'", 'in no layer'],
  ['src/flows/read/a.ts', "import { b } from '../../novel/b.ts'", 'in no layer'],
  ['src/flows/novel/a.ts', "import { b } from '../read/b.ts'", 'in no layer'],
  ['src/flows/read/a.ts', "import { b } from '../../../test/b.ts'", 'src/ may import only src'],
  ['bench/a.ts', "import { b } from '../test/b.ts'", 'bench/ may import only bench, src'],
  ['sdk/src/a.ts', "import { b } from '../../src/core/b.ts'", 'sdk/ may import only sdk'],
  ['console/a.tsx', "import { b } from '../src/core/b.ts'", 'console/ may import only console'],
  ['media/a.ts', "import { b } from '../sdk/b.ts'", 'media/ may import only media'],
  ['src/flows/a.ts', 'const say = `${events.length} events were sent`', 'write it with countOf()'],
  ['src/cli/a.ts', 'say(`  ${number(count)} were voided`)', 'write it with countOf()'],
  ['src/core/bill/a.ts', "import fs from 'node:fs'", 'core has no packages'],
  ['src/core/bill/a.ts', "import Big from 'big.js'", 'use core/money/decimal.ts'],
  ['src/core/money/price.ts', "import Big from 'big.js'", 'use core/money/decimal.ts'],
  ['src/cli/a.ts', "import stringWidth from 'string-width'", 'use core/present/text-width.ts'],
  ['src/flows/a.ts', "import pg from 'pg'", 'only store/ talks to the database'],
  ['src/core/a/b.ts', 'const at = Date.now()', 'Date.now: the core is deterministic'],
  ['src/core/a/b.ts', 'const at = new Date()', 'the core is deterministic'],
  ['src/core/a/b.ts', 'const id = Math.random()', 'the core is deterministic'],
  ['src/core/a/b.ts', 'async function f() {}', 'the core does not wait'],
  ['src/core/a/b.ts', 'const f = async () => 1', 'the core does not wait'],
  ['src/core/a/b.ts', 'await f()', 'the core does not wait'],
  ['src/core/a/b.ts', 'let later: Promise<void>', 'the core does not wait'],
  ['src/core/a/b.ts', 'a.localeCompare(b)', 'the same on every machine'],
  ['src/core/a/b.ts', "Intl.NumberFormat('en')", 'the same on every machine'],
  ['src/core/money/b.ts', 'parseFloat(text)', 'use decimal()'],
  ['src/core/a/b.ts', 'Number.parseFloat(text)', 'use decimal()'],
  ['src/core/a/b.ts', 'value.toFixed(2)', 'only core/money writes and rounds'],
  ['src/http/a.ts', 'Number(line.amount)', 'never become a JavaScript number'],
  ['src/core/a/b.ts', 'Number(unitPrice)', 'never become a JavaScript number'],
  ['src/cli/a.ts', '+bill.total', 'never become a JavaScript number'],
  ['src/flows/a.ts', "query('select id from bill where id = $1')", 'only store/ contains SQL'],
  ['src/http/a.ts', 'query(`\n  insert into bill (id)\n  values ($1)`)', 'only store/ contains SQL'],
  ['src/cli/a.ts', 'query(`with due as (select 1) ${rest}`)', 'only store/ contains SQL'],
  [
    'src/store/a.ts',
    "query(`select data ->> 'operation' from usage_event`)",
    'carries the data of events whole',
  ],
  [
    'src/store/a.ts',
    'query(`select source, data::jsonb from usage_event`)',
    'carries the data of events whole',
  ],
  [
    'src/store/a.ts',
    "query(`select id from usage_event where data like '%SimpleQuery%'`)",
    'carries the data of events whole',
  ],
  [
    'src/store/a.ts',
    'query(`select id from usage_event e where e.data = $1`)',
    'carries the data of events whole',
  ],
  ['src/store/a.ts', 'query(`select md5(data) from usage_event`)', 'carries the data of events whole'],
  ['src/store/a.ts', 'query(`select id from usage_event order by data`)', 'carries the data of events whole'],
  [
    'src/store/a.ts',
    "query(`select jsonb_path_query(data, '$.a') from usage_event`)",
    'carries the data of events whole',
  ],
  [
    'src/store/a.ts',
    'query(`line as (select e.id from e join l on l.operation = e.data)`)',
    'carries the data of events whole',
  ],
  [
    'src/store/a.ts',
    'query(`select id, attributes is null from usage_event`)',
    'carries the data of events whole',
  ],
  [
    'src/store/a.ts',
    'query(`select cast(data as json) from usage_event`)',
    'carries the data of events whole',
  ],
  ['src/store/a.test.ts', "test.only('a', f)", 'remove it before merging'],
  ['test/a.test.ts', "describe.skip('a', f)", 'remove it before merging'],
  ['bin/a.ts', 'debugger', 'remove it before merging'],
  ['docs/a.md', `one\n${FIX}: this`, '2: '],
  // What a merge leaves behind.
  ['docs/a.md', `one\n${'<'.repeat(7)} HEAD`, '2: '],
  ['docs/a.md', `one\n${'='.repeat(7)}\n`, '2: '],
  ['docs/a.md', `see ${PATH}work/main`, 'does not belong in the project'],
  ['docs/a.md', `see ${PATH}home/me/farthing`, 'does not belong in the project'],
  ...RETIRED.map(([words, say]): [string, string, string] => ['docs/a.md', `one\n${words.join('')}`, say]),
  ['src/a.ts', `// What was ${TAKEN}\n// back before.`, 'write void'],
  ['src/a.ts', `say('to be made ${ONCE_MORE}')`, 'write again'],
  ['test/a.test.ts', `test('${TAKEN} back', f)`, 'write void'],
  ['src/store/utils.ts', '', 'the name says nothing'],
  ['sdk/src/index.ts', '', 'the name says nothing'],
  ['src/store/shared.ts', '', 'the name says nothing'],
  ['src/a.ts', long(FILE_LINES_MAX + 1), `longer than ${FILE_LINES_MAX} lines`],
  ['src/a.ts', `function f() {\n${long(FUNCTION_LINES_MAX - 1)}\n}`, `at most ${FUNCTION_LINES_MAX} lines`],
  ['src/a.ts', `class A {\n  f() {\n${long(FUNCTION_LINES_MAX)}\n}}`, `at most ${FUNCTION_LINES_MAX} lines`],
  [
    'src/a.ts',
    `function f() {\n  function g() {\n${long(FUNCTION_LINES_MAX)}\n  }\n}`,
    `function g() {: a function has at most`,
  ],
  [
    'src/a.ts',
    `function f() {\n  function g() {\n    function h() {}\n  }\n${long(FUNCTION_LINES_MAX - 1)}\n}`,
    `function f() {: a function has at most`,
  ],
  ['src/a.ts', `const f = () => {\n${long(FUNCTION_LINES_MAX)}\n}`, `at most ${FUNCTION_LINES_MAX} lines`],
]

for (const [path, text, say] of SEEN) {
  test(`tidy sees what it should: ${path}: ${text.split('\n')[0]}`, () => {
    expect(tidy(path, text).join('\n')).toContain(say)
  })
}

// … and nothing else.
const FINE: readonly [path: string, text: string][] = [
  ['src/core/bill/a.ts', "import { b } from '../ingest/b.ts'\nimport { c } from './c.ts'"],
  ['src/core/text/a.ts', "import { b } from '../money/b.ts'\nimport { i } from '../invariant.ts'"],
  ['src/core/money/decimal.ts', "import Big from 'big.js'\nvalue.toFixed()"],
  ['src/core/bill/a.test.ts', "import fc from 'fast-check'\nimport { t } from '../../../test/table.ts'"],
  ['src/core/a/b.ts', '// Date.now() and async are for others\nconst say = "await new Date()"'],
  ['src/core/a/b.ts', 'new Date(at).toISOString()'],
  ['src/core/a/b.test.ts', 'Number(amount)'],
  ['src/flows/a.ts', "import type pg from 'pg'"],
  ['src/main.ts', "import { a } from './http/a.ts'\nimport { b } from './cli/b.ts'"],
  ['src/store/query/a.ts', "query('select id from bill')"],
  ['src/store/a.ts', "query('select id, data, attributes from usage_event')"],
  ['src/store/a.ts', "query('select distinct e.data from usage_event e')"],
  ['src/store/a.ts', "query('insert into usage_event (id, data, attributes) values ($1, $2, $3)')"],
  ['src/store/a.ts', "query('copy usage_event (id, type, data) from stdin')"],
  ['src/store/embedded/a.ts', "say('no data directory')"],
  ['src/cli/a.ts', "say('select a month, update it, or create an index of bills')"],
  ['src/http/a.ts', 'Number(request.query.limit)\n+limit'],
  ['src/http/a.ts', 'const say = `${countOf(count, "event")} of ${EVENTS_MAX} events`'],
  ['bench/a.ts', "import { a } from '../src/core/bill/a.ts'\nquery('select 1 from t')"],
  ['sdk/src/a.test.ts', "import { b } from '../../test/b.ts'"],
  ['console/a.tsx', "import { b } from './b.tsx'\nconst c = <p>{b}</p>"],
  ['test/a.test.ts', `test('long', () => {\n${long(FUNCTION_LINES_MAX + 1)}\n})`],
  ['src/a.ts', `function f() {\n${long(FUNCTION_LINES_MAX - 2)}\n}`],
  ['src/a.ts', `function f() {\n  function g() {\n${long(40)}\n  }\n${long(FUNCTION_LINES_MAX - 2)}\n}`],
  ['src/a.ts', `${long(FILE_LINES_MAX)}\n`],
  ['docs/a.md', 'a foreign key, foreign text in a message; it is given back; renewed; a new one'],
  ['src/a.ts', '// it takes the last 20 of them, back to front'],
  ['docs/performance-journal.md', `measured ${ONCE_MORE}`],
  ['docs/index.md', 'https://example.com/network/users/ and a homework folder'],
]

for (const [path, text] of FINE) {
  test(`tidy leaves alone: ${path}: ${text.split('\n')[0]}`, () => {
    expect(tidy(path, text)).toEqual([])
  })
}
