import { expect, test } from 'vitest'
import { rulesOf, shortly } from './access-log-rules.ts'
import { table } from '../table.ts'

const PATHS = {
  account: { query: 'a' },
  operations: {
    'GET /v1/{project}/faces': { operation: 'Faces', project: { path: 'project' } },
    'POST /v1/query': 'Query',
  },
  ignore: ['GET /healthz'],
}

const COMBINED = rulesOf({ format: 'combined', ...PATHS })
for (const { line, is } of table<'line' | 'is'>(String.raw`
  line                                                                                                | is
  1.2.3.4 - - [28/Jul/2025:11:00:00 +0800] "GET /v1/p/faces?a=x HTTP/1.1" 200 5 "-" "curl/8"           | x Faces 200 2025-07-28T03:00:00.000Z place p
  ::1 - joe b [28/Jul/2025:03:00:00 +0000] "POST /v1/query?a=x HTTP/2.0" 499 0 "-" "a \x22b\x22"       | x Query 499 2025-07-28T03:00:00.000Z place
  1.2.3.4 - - [28/Jul/2025:03:00:00 +0000] "GET /v1/p/faces?a=x HTTP/1.1" 404 5 "-" "Apache \" quote"  | x Faces 404 2025-07-28T03:00:00.000Z place p
  1.2.3.4 - - [28/Jul/2025:03:00:00 +0000] "GET //v1/./p/%66aces/?a=%C3%A9+1 HTTP/1.1" 200 5 "-" "-"   | é 1 Faces 200 2025-07-28T03:00:00.000Z place p
  1.2.3.4 - - [28/Jul/2025:03:00:00 +0000] "GET /v1/x/../%C3%BC/faces?a=x HTTP/1.1" 200 5 "-" "-"      | x Faces 200 2025-07-28T03:00:00.000Z place ü
  1.2.3.4 - - [28/Jul/2025:03:00:00 +0000] "GET /v1/\xC3\xBC/faces?a=x HTTP/1.1" 200 5 "-" "-"         | x Faces 200 2025-07-28T03:00:00.000Z place ü
  1.2.3.4 - - [28/Jul/2025:03:00:00 +0000] "GET /v1/\xFF/faces?a=x HTTP/1.1" 200 5 "-" "-"             | log/not_text
  1.2.3.4 - - [28/Jul/2025:03:00:00 +0000] "GET http://h:80/v1/p/faces?a=x HTTP/1.1" 200 5 "-" "-"     | x Faces 200 2025-07-28T03:00:00.000Z place p
  1.2.3.4 - - [28/Jul/2025:03:00:00 +0000] "GET /v1/p/faces?a=x&a=y HTTP/1.1" 200 5 "-" "-"            | log/no_account
  1.2.3.4 - - [28/Jul/2025:03:00:00 +0000] "GET /v1/p/faces HTTP/1.1" 200 5 "-" "-"                    | log/no_account
  1.2.3.4 - - [28/Jul/2025:03:00:00 +0000] "GET /v1/p/face?a=x HTTP/1.1" 200 5 "-" "-"                 | log/no_route
  1.2.3.4 - - [28/Jul/2025:03:00:00 +0000] "PUT /v1/query?a=x HTTP/1.1" 200 5 "-" "-"                  | log/no_route
  1.2.3.4 - - [28/Jul/2025:03:00:00 +0000] "GET /healthz HTTP/1.1" 200 5 "-" "-"                       | ignored
  1.2.3.4 - - [28/Jul/2025:03:00:00 +0000] "\x16\x03\x01" 400 5 "-" "-"                                | log/malformed_request
  1.2.3.4 - - [28/Jul/2025:03:00:00 +0000] "" 400 0 "-" "-"                                            | log/malformed_request
  1.2.3.4 - - [28/Jul/2025:03:00:00 +0000] "POST /v1/query?a=x HTTP/1.1" 000 0 "-" "-"                 | log/no_answer
  1.2.3.4 - - [31/Jun/2025:03:00:00 +0000] "POST /v1/query?a=x HTTP/1.1" 200 0 "-" "-"                 | log/invalid_time
  1.2.3.4 - - [28/Jul/2025:03:00:00 +0000] "POST /v1/query?a=x HTTP/1.1" 200 0 "-"                     | log/unreadable
  1.2.3.4 - - [28/Jul/2025:03:00:00 +0000] "POST /v1/query?a=x HTTP/1.1" 200                           | log/unreadable
  1.2.3.4 - x [28/Jul/2025:03:00:00 +0000] "GET /healthz HTTP/1.1" 200 1 "-" "-" trailing              | log/unreadable
`)) {
  test(`combined: ${line.slice(10)}`, () => expect(shortly(COMBINED, line)).toBe(is))
}

const NGINX = rulesOf({
  format: 'nginx',
  logFormat: String.raw`log_format main '$remote_addr $msec [$time_local] "$request_method $request_uri" '
    '$status "$http_x_account" $request_id $upstream_addr $upstream_status "$http_user_agent"';`,
  ...PATHS,
  account: { header: 'X-Account' },
})
for (const { line, is } of table<'line' | 'is'>(String.raw`
  line                                                                                                         | is
  ::1 1753671599.999 [28/Jul/2025:02:59:59 +0000] "GET /v1/p/faces" 200 "a b" f00 127.0.0.1:80 200 "x"          | a b Faces 200 2025-07-28T02:59:59.999Z f00 p
  ::1 1753671600.000 [28/Jul/2025:03:00:00 +0000] "POST /v1/query?x=\x22" 502 "\xC3\xA9" f01 1:80, 2:80 502, 200 "x" | é Query 502 2025-07-28T03:00:00.000Z f01
  ::1 1753671600.000 [28/Jul/2025:03:00:00 +0000] "POST /v1/query" 499 "a\x22b" f02 - - "\x5C"                  | a"b Query 499 2025-07-28T03:00:00.000Z f02
  ::1 1753671600.000 [28/Jul/2025:03:00:00 +0000] "POST /v1/query" 499 "-" f02 - - "-"                          | log/no_account
  ::1 1753671600.000 [28/Jul/2025:03:00:00 +0000] "POST /v1/query" 499 "a" - - - "-"                            | log/no_request_id
  ::1 1753671600.00 [28/Jul/2025:03:00:00 +0000] "POST /v1/query" 499 "a" f - - "-"                             | log/unreadable
`)) {
  test(`nginx: ${line}`, () => expect(shortly(NGINX, line)).toBe(is))
}

const NGINX_JSON = rulesOf({
  format: 'nginx',
  logFormat: String.raw`log_format j escape=json '{"t":"$time_iso8601","r":"$request","s":$status,"id":"$request_id",' '"who":"$remote_user"}';`,
  account: { field: 'remote_user' },
})
for (const { line, is } of table<'line' | 'is'>(String.raw`
  line                                                                                          | is
  {"t":"2025-07-28T11:00:00+08:00","r":"GET /a\"b HTTP/1.1","s":200,"id":"f1","who":"joe \"x\" \\"} | joe "x" \ Any 200 2025-07-28T03:00:00.000Z f1
  {"t":"2025-07-28T11:00:00+08:00","r":"GET / HTTP/1.1","s":200,"id":"f1","who":"é\u0001"}       | é${'\u0001'} Any 200 2025-07-28T03:00:00.000Z f1
  {"t":"2025-07-28T11:00:00+08:00","r":"GET / HTTP/1.1","s":200,"id":"f1","who":""}              | log/no_account
`)) {
  test(`nginx with escape=json: ${line}`, () => expect(shortly(NGINX_JSON, line)).toBe(is))
}

const ENVOY = rulesOf({ format: 'envoy', ...PATHS })
const ENVOY_IDS = '"10.0.0.1" "UA" "1-2-3" "api.example.com" "10.1.1.1:80"'
for (const { line, is } of table<'line' | 'is'>(`
  line                                                                                                  | is
  [2025-07-28T02:59:59.900Z] "GET /v1/p/faces?a=x HTTP/1.1" 200 - 0 15 99 98 ${ENVOY_IDS}                | x Faces 200 2025-07-28T02:59:59.999Z 1-2-3 p
  [2025-07-28T02:59:59.900Z] "GET /v1/p/faces?a=x HTTP/1.1" 200 - 0 15 100 98 ${ENVOY_IDS}               | x Faces 200 2025-07-28T03:00:00.000Z 1-2-3 p
  [2025-07-28T03:00:00.000Z] "POST /v1/query?a=x HTTP/2" 503 UF,URX 0 15 - - ${ENVOY_IDS}                | x Query 503 2025-07-28T03:00:00.000Z 1-2-3
  [2025-07-28T03:00:00.000Z] "POST /v1/query?a=x HTTP/2" 0 DC 0 15 5 - ${ENVOY_IDS}                      | log/no_answer
  [2025-07-28T03:00:00.000Z] "- - HTTP/1.1" 400 DPE 0 15 5 - ${ENVOY_IDS}                                | log/malformed_request
  [2025-07-28T03:00:00.000Z] "GET /healthz HTTP/2" 200 - 0 1 5 - "-" "a "b" "c" d" "1" "h" "-"           | ignored
  [2025-07-28T03:00:00.000Z] "POST /v1/query?a=x HTTP/2" 200 - 0 1 5 - "-" "UA" "-" "h" "-"              | log/no_request_id
`)) {
  test(`envoy: ${line}`, () => expect(shortly(ENVOY, line)).toBe(is))
}

const ENVOY_JSON = rulesOf({ format: 'envoy', logFormat: 'json', account: { field: 'account' } })
for (const { line, is } of table<'line' | 'is'>(String.raw`
  line                                                                                                                                     | is
  {"start_time":"2025-07-28T02:59:59.9Z","duration":100,"method":"GET","path":"/x","response_code":200,"request_id":"r","account":"é\u00e9"} | éé Any 200 2025-07-28T03:00:00.000Z r
  {"start_time":"2025-07-28T03:00:00Z","duration":null,"method":"GET","path":"/x","response_code":204,"request_id":"r","account":"a"}        | a Any 204 2025-07-28T03:00:00.000Z r
  {"start_time":"2025-07-28T03:00:00Z","duration":1,"method":null,"path":null,"response_code":0,"request_id":"r","account":"a"}              | log/malformed_request
  {"start_time":"2025-07-28T03:00:00Z","duration":1,"method":"GET","path":"/","response_code":0,"request_id":"r","account":"a"}              | log/no_answer
  {"start_time":                                                                                                                             | log/unreadable
  []                                                                                                                                         | log/unreadable
`)) {
  test(`envoy in JSON: ${line}`, () => expect(shortly(ENVOY_JSON, line)).toBe(is))
}

test('members of inner objects have names of their own, and a list of one is its element', () => {
  const fields = { method: 'request.method', path: 'request.uri', status: 'status', time: 'ts', id: 'id' }
  const rules = rulesOf({ format: 'json', fields, account: { field: 'request.headers.X-Account' } })
  const request = { method: 'GET', uri: '/v1', headers: { 'X-Account': ['acme'] } }
  const line = JSON.stringify({ ts: 1753671600.123, status: 200, id: 7, request })
  expect(shortly(rules, line)).toBe('acme Any 200 2025-07-28T03:00:00.123Z 7')
})

// Guarantee: a field is what was logged, digit for digit, and of a field that is there twice neither counts.
const WIDE_JSON = rulesOf({
  format: 'json',
  fields: { method: 'request.method', path: 'request.uri', status: 'status', time: 'ts', id: 'id' },
  account: [{ field: 'who' }, { field: 'request.who' }],
})
const WIDE = '"ts":1753671600.5,"status":200,"id":"r","request":{"method":"GET","uri":"/v1"}'
for (const { more, is } of table<'more' | 'is'>(String.raw`
  more                                               | is
  "who":"a"                                          | a Any 200 2025-07-28T03:00:00.500Z r
  "who":9007199254740993                             | 9007199254740993 Any 200 2025-07-28T03:00:00.500Z r
  "who":[12345678901234567890]                       | 12345678901234567890 Any 200 2025-07-28T03:00:00.500Z r
  "who":1e3                                          | 1000 Any 200 2025-07-28T03:00:00.500Z r
  "who":"a","trace":18446744073709551615,"took":1e-400 | a Any 200 2025-07-28T03:00:00.500Z r
  "who":"a","level":"info","level":"info"            | a Any 200 2025-07-28T03:00:00.500Z r
  "who":"a","who":"b"                                | log/two_readings
  "who":"a","who":"a"                           | log/two_readings
  "request.who":"a","x":[{"who":1},{"who":1e400}]    | a Any 200 2025-07-28T03:00:00.500Z r
  "who":"a","status":500                             | log/two_readings
  "who":"a","id":"s"                                 | log/two_readings
  "who":"a","request":{"method":"GET","uri":"/v2"}   | log/two_readings
  "who":"a","request.uri":"/v2"                      | log/two_readings
  "who":"a","request.who":"b","request.who":"c"      | a Any 200 2025-07-28T03:00:00.500Z r
  "request.who":"b","request.who":"c"                | log/two_readings
`)) {
  test(`a line of JSON that has ${more}: ${is}`, () => {
    expect(shortly(WIDE_JSON, `{${WIDE},${more}}`)).toBe(is)
  })
}

test('a status or time that no double holds is not rounded into one', () => {
  const line = (fields: string) => `{"who":"a","id":"r","request":{"method":"GET","uri":"/v1"},${fields}}`
  expect(shortly(WIDE_JSON, line('"ts":1753671600,"status":200.00000000000000001'))).toBe('log/unreadable')
  const nines = '"ts":1753671600.99999999999999999999,"status":200'
  expect(shortly(WIDE_JSON, line(nines))).toBe('a Any 200 2025-07-28T03:00:00.999Z r')
})

const ALB = rulesOf({ format: 'alb', ...PATHS })
const ALB_TAIL =
  '"api.example.com" "session-reused" 1 2025-07-28T02:59:59.900000Z "waf,forward" "-" "-" "10.0.0.1:80" "200" "-" "-" TID_1 "new"'
function alb(request: string, status: string, trace: string, time = '2025-07-28T03:00:00.186641Z'): string {
  return (
    `https ${time} app/lb/50dc 192.0.2.1:2817 10.0.0.1:80 0.086 0.048 0.037 ${status} 200 0 57 "${request}" ` +
    `"curl \\x22x" ECDHE TLSv1.2 arn:aws:x:targetgroup/t/7 "${trace}" ${ALB_TAIL}`
  )
}
for (const { request, status, trace, is } of table<'request' | 'status' | 'trace' | 'is'>(`
  request                                                | status | trace                | is
  GET https://api.example.com:443/v1/p/faces?a=x HTTP/1.1 | 200    | Root=1-58337262-36d2 | x Faces 200 2025-07-28T03:00:00.186Z Root=1-58337262-36d2 p
  POST http://api.example.com:80/v1/query?a=x HTTP/2.0    | 460    | Self=1-a;Root=1-b    | x Query 460 2025-07-28T03:00:00.186Z Self=1-a;Root=1-b
  GET http://api.example.com:80/healthz HTTP/1.1          | 200    | -                    | ignored
  GET http://api.example.com:80/v1/p/faces?a=x HTTP/1.1   | -      | Root=1               | log/no_answer
  GET http://api.example.com:80/v1/p/faces?a=x HTTP/1.1   | 400    | -                    | log/no_request_id
  - http://api.example.com:80- -                          | 400    | -                    | log/malformed_request
`)) {
  test(`alb: ${request} ${status} ${trace}`, () => expect(shortly(ALB, alb(request, status, trace))).toBe(is))
}

test('alb: a line that ends with trace_id, or has new fields, is read; one that is cut off is not', () => {
  const line = alb('POST http://h:80/v1/query?a=x HTTP/1.1', '200', 'Root=1')
  const is = 'x Query 200 2025-07-28T03:00:00.186Z Root=1'
  expect(shortly(ALB, line.slice(0, line.indexOf(' "api.example.com"')))).toBe(is)
  expect(shortly(ALB, `${line} "another" 7`)).toBe(is)
  expect(shortly(ALB, line.slice(0, 100))).toBe('log/unreadable')
  expect(shortly(ALB, line.slice(0, line.indexOf('session') + 3))).toBe('log/unreadable')
})
