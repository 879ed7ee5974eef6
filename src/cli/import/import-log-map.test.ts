import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { SOURCES_MAX } from '../../core/access-log/read-value-source.ts'
import { FIELDS_MAX } from '../../core/access-log/line-pattern.ts'
import { TEMPLATES_MAX } from '../../core/access-log/read-log-map.ts'
import { MAP_BYTES_MAX, MAP_PROBLEMS_MAX, parseLogMap, readLogMapFile } from './import-log-map.ts'

const folder = mkdtempSync(join(tmpdir(), 'farthing-map-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function problemsOf(text: string): readonly string[] {
  const read = parseLogMap(Buffer.from(text), 'm.yaml', undefined)
  if (read.ok) return []
  return read.problems.map(({ place, message, fix }) => `${place.line}:${place.column} ${message} — ${fix}`)
}

const GOOD = `format: nginx
logFormat: |
  log_format main '$remote_addr $msec "$request" $status $request_id "$http_x_account"';
account: [{ header: X-Account }, { query: account }, { value: nobody }]
project: { path: project }
operations:
  GET /v1/photos/{project}/faces: DetectFaces
  POST /v1/query: { operation: SimpleQuery, project: { query: project } }
ignore: [GET /healthz, malformed]
`

test('a mapping that is right has no problem', () => expect(problemsOf(GOOD)).toEqual([]))

const WRONG: readonly (readonly [from: string, to: string, problem: RegExp])[] = [
  ['format: nginx', 'format: ngnix', /^1:9 format is no format\. — write nginx$/],
  ['format: nginx\n', '', /^1:1 format is missing\. — add format: nginx/],
  ['format: nginx', 'format: alb', /logFormat says nothing for alb/],
  ['account: [', 'acount: [', /^4:1 acount is not known here\. — write account$(?!\n)/],
  [
    'X-Account',
    'X-Acount',
    /^4:21 account\.0\.header \(http_x_acount\) is not in the format of the log\. — write http_x_account$/,
  ],
  [
    'project: { path: project }',
    'project: { path: prject }',
    /^5:18 project\.path is a parameter that no template has/,
  ],
  [
    '{ query: project }',
    '{ path: project }',
    /operations\.POST \/v1\/query\.project\.path is a parameter that no template has/,
  ],
  ['{ value: nobody }', '{}', /^4:54 account\.2 is not one place\. — write \{ header/],
  ['{ value: nobody }', '{ value: 7 }', /account\.2\.value is not a text/],
  [
    'GET /v1/photos/{project}/faces',
    'get /v1/photos',
    /^7:3 operations\.get \/v1\/photos is no template\. — write a method/,
  ],
  ['GET /v1/photos/{project}/faces', 'GET /v1/photos/{project}x', /^7:3 .* as plain text/],
  ['GET /healthz', 'POST /v1//query', /^9:10 ignore\.0 is there already/],
  ['malformed', 'malformd', /ignore\.1 is no template/],
  [
    'DetectFaces',
    '[DetectFaces]',
    /operations\.GET \/v1\/photos\/\{project\}\/faces is not a mapping\. — write the name of an operation/,
  ],
  [' $status', '', /^1:1 The mapping has no field for status\. — log it too$/],
  [
    '"$http_x_account"',
    '$http_x_account $http_x',
    /cannot tell where http_x_account and http_x end\. — log each of them in quotes/,
  ],
  ['$remote_addr $msec', '$remote_addr$msec', /has nothing between remote_addr and msec/],
  ['log_format main', 'log_format main escape=none', /escape=none/],
  ["';", "' x;", /outside of its quotes/],
  ['operations:', 'operations: &a', /anchors and aliases/],
  ['operations:', 'operations: {\n  x: [', /not YAML/],
]
for (const [from, to, problem] of WRONG) {
  test(`${from.trim()} → ${to.trim()}: ${problem.source}`, () => {
    expect(GOOD).toContain(from)
    expect(problemsOf(GOOD.replace(from, to)).join('\n')).toMatch(new RegExp(problem.source, 'm'))
  })
}

test('what is wrong is printed with file, line, column and fix, the first of them one by one', () => {
  const path = join(folder, 'map.yaml')
  const templates = Array.from({ length: MAP_PROBLEMS_MAX + 1 }, (_, at) => `  x${at}: A\n`).join('')
  writeFileSync(path, `format: combined\naccount: { value: a }\noperations:\n${templates}`)
  expect(() => readLogMapFile(path, undefined)).toThrow(
    /map\.yaml:4:3: operations\.x0 is no template — write a method[^]*… and 1 more$/,
  )
  expect(() => readLogMapFile(join(folder, 'none'), undefined)).toThrow(/none cannot be read \(no such file/)
  writeFileSync(path, 'format: combined\naccount: { value: a }\noperations: { GET /: A }\n')
  expect(readLogMapFile(path, undefined).rules.format.name).toBe('combined')
  expect(() => readLogMapFile(path, 'nginx')).toThrow(
    /format is combined, and --format says nginx — leave out one/,
  )
})

const map = (count: number) =>
  `format: json\nfields: { method: m, path: p, status: s, time: t }\naccount: { value: a }\noperations:\n` +
  Array.from({ length: count }, (_, at) => `  GET /${at}: A\n`).join('')
const places = (count: number) => GOOD.replace('[{ header', `[${'{ query: a },'.repeat(count - 3)} { header`)
const fields = (count: number) => GOOD.replace('$remote_addr', '$pid '.repeat(count - 5).trim())

test('a mapping has limits', () => {
  expect(problemsOf(map(TEMPLATES_MAX))).toEqual([])
  expect(problemsOf(map(TEMPLATES_MAX + 1)).join()).toMatch(/write 1 to 5000/)
  const padded = `${map(1)}#`.padEnd(MAP_BYTES_MAX, 'x')
  expect(problemsOf(padded)).toEqual([])
  expect(problemsOf(`${padded}x`).join()).toMatch(/The text has 1,000,001 bytes/)
  expect(problemsOf(places(SOURCES_MAX))).toEqual([])
  expect(problemsOf(places(SOURCES_MAX + 1)).join()).toMatch(/account has 11 places\. — write 1 to 10/)
  expect(problemsOf(fields(FIELDS_MAX))).toEqual([])
  expect(problemsOf(fields(FIELDS_MAX + 1)).join()).toMatch(
    /has 101 fields — write at most 100|write at most 100/,
  )
})
