import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { newKeyText } from '../../flows/keys/key-text.ts'
import { serverAddress } from './server-address.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'farthing-address-'))
const key = newKeyText()
writeFileSync(join(dataDir, 'admin-key'), `${key}\n`)
afterAll(() => rmSync(dataDir, { recursive: true, force: true }))

const env = { FARTHING_DATA_DIR: dataDir }

test('the server of this machine, with the key of its first start, unless something else is said', () => {
  expect(serverAddress({}, env)).toEqual({ url: 'http://127.0.0.1:8080', key })
  expect(serverAddress({}, { ...env, PORT: '9000' }).url).toBe('http://127.0.0.1:9000')
  const elsewhere = { ...env, PORT: '9000', FARTHING_URL: 'https://bills.example.com/api/' }
  expect(serverAddress({}, elsewhere).url).toBe('https://bills.example.com/api')
  expect(serverAddress({ url: 'http://[::1]:1' }, elsewhere).url).toBe('http://[::1]:1')
  expect(serverAddress({}, { ...env, FARTHING_KEY: ' frt_x\n' }).key).toBe('frt_x')
})

test('what cannot be an address or has no key is refused', () => {
  expect(() => serverAddress({ url: 'localhost:8080' }, env)).toThrow('write http://host:port')
  expect(() => serverAddress({}, { ...env, FARTHING_URL: 'here' })).toThrow(
    'FARTHING_URL here is no address of a server: write http://host:port.',
  )
  expect(() => serverAddress({}, { ...env, PORT: 'abc' })).toThrow('PORT is "abc": set it to a number')
  expect(() => serverAddress({}, { FARTHING_DATA_DIR: join(dataDir, 'none') })).toThrow('There is no key in ')
})
