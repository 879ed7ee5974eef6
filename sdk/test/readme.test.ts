import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testServer, type TestServer } from '../../test/system/http-server.ts'
import { usageOf } from './auditor.ts'

const SDK = fileURLToPath(new URL('..', import.meta.url))
let server: TestServer
let home: string

beforeAll(async () => {
  execFileSync(process.execPath, ['bin/prepare.mjs'])
  server = await testServer()
  home = mkdtempSync(join(tmpdir(), 'farthing-sdk-readme-'))
  mkdirSync(join(home, 'node_modules/@farthing'), { recursive: true })
  symlinkSync(SDK, join(home, 'node_modules/@farthing/sdk'))
})
afterAll(async () => {
  await server.close()
  rmSync(home, { recursive: true, force: true })
})

test('the example in the README runs as it is there, and is counted', async () => {
  const [, example] = /```js run\n([\s\S]*?)```/.exec(readFileSync(join(SDK, 'README.md'), 'utf8'))!
  writeFileSync(join(home, 'example.mjs'), example!)
  const env = { ...process.env, FARTHING_URL: server.url, FARTHING_KEY: server.adminKey }
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['example.mjs'], { cwd: home, env })
  expect([stdout, stderr]).toEqual(['true\n', ''])
  expect(await usageOf(server.url, server.adminKey, 'acme')).toEqual(
    new Map([
      ['CreateOfficeConversionTask  billed', 12n],
      ['DetectImageFaces  billed', 3n],
      ['SimpleQuery photos billed', 1n],
    ]),
  )
})

test.each(['fastify', 'express', 'hono'])(
  'the entry for %s is in the package, and needs nothing',
  async (name) => {
    const script = `import('@farthing/sdk/${name}').then((entry) => console.log(Object.keys(entry).join()))`
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], { cwd: home })
    expect(stdout).toBe('meterRequests\n')
    const code = readFileSync(join(SDK, 'dist', `${name}.js`), 'utf8')
    expect(code.match(/from '[^.].*'/g)).toBeNull()
  },
)
