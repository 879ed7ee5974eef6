import { expect, test } from 'vitest'
import { canonicalHost, isLoopback } from './host-name.ts'

/** What hosts are equal to. */
const CANONICAL: Readonly<Record<string, string | undefined>> = {
  'billing.example': 'billing.example',
  'BILLING.Example': 'billing.example',
  'billing.example.': 'billing.example',
  'billing.example:8080': 'billing.example',
  'billing.example.:8080': 'billing.example',
  'billing.example:': 'billing.example',
  my_service: 'my_service',
  'xn--bcher-kva.example': 'xn--bcher-kva.example',
  '127.0.0.1:1': '127.0.0.1',
  '[::1]': '[0:0:0:0:0:0:0:1]',
  '[::1]:8080': '[0:0:0:0:0:0:0:1]',
  '[0:0:0:0:0:0:0:1]': '[0:0:0:0:0:0:0:1]',
  '[0000::0001]': '[0:0:0:0:0:0:0:1]',
  '[FE80::A]': '[fe80:0:0:0:0:0:0:a]',
  '[::]': '[0:0:0:0:0:0:0:0]',
  '[::ffff:127.0.0.1]': '[0:0:0:0:0:ffff:7f00:1]',
  '': undefined,
  '.': undefined,
  ':8080': undefined,
  'a b': undefined,
  'a,b': undefined,
  'user@localhost': undefined,
  'localhost:80:80': undefined,
  'localhost:http': undefined,
  'localhost:65536': undefined,
  'local..host': undefined,
  '-a': undefined,
  'a/b': undefined,
  '*.example': undefined,
  '::1': undefined,
  '[::1': undefined,
  '[1::2::3]': undefined,
  '[1:2:3:4:5:6:7]': undefined,
  '[1:2:3:4:5:6:7:8:9]': undefined,
  '[12345::]': undefined,
  '[::ffff:127.0.0.256]': undefined,
  'bücher.example': undefined,
  'a\u0000b': undefined,
}

for (const [text, host] of Object.entries(CANONICAL)) {
  test(`${JSON.stringify(text)} is ${host ?? 'no host'}`, () => expect(canonicalHost(text)).toBe(host))
}

test('the machine itself goes by many names', () => {
  for (const text of [
    'localhost',
    'LOCALHOST.',
    'a.localhost',
    '127.0.0.1',
    '127.255.0.9',
    '[::1]',
    '[::ffff:127.8.8.8]',
  ])
    expect([text, isLoopback(canonicalHost(text)!)]).toEqual([text, true])
  for (const text of [
    'localhost.example',
    'xlocalhost',
    '128.0.0.1',
    '127.0.0.1.example',
    '127.x',
    '127.0.0.1.5',
    '127.0.0',
    '[::2]',
    '[::ffff:10.0.0.1]',
    '0.0.0.0',
  ])
    expect([text, isLoopback(canonicalHost(text)!)]).toEqual([text, false])
})
