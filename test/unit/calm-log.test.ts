import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { calmLog } from '../../src/log.ts'

// Guarantee: an error that comes again and again is one entry in a while, with a count; nothing else is held back.

test('equal errors are logged once, and then how often they came', async () => {
  const entries: [string, object, string][] = []
  const at = (level: string) => (fields: object, text: string) => void entries.push([level, fields, text])
  const log = calmLog({ info: at('info'), warn: at('warn'), error: at('error') }, 60)
  const full = (request: number) => ({
    requestId: request,
    err: Object.assign(new Error(`could not extend file ${request}`), { code: '53100' }),
  })
  for (let request = 0; request < 5; request++) log.error(full(request), 'Not stored')
  log.error({ err: new Error('another') }, 'Not stored')
  log.warn(full(9), 'Not stored')
  log.error({}, 'no error')
  log.error({}, 'no error')
  log.info({}, 'told')
  const texts = () => entries.map(([level, , text]) => `${level} ${text}`)
  const first = [
    'error Not stored',
    'error Not stored',
    'warn Not stored',
    'error no error',
    'error no error',
    'info told',
  ]
  expect(texts()).toEqual(first)
  await sleep(150)
  expect(texts()).toEqual([...first, 'error Not stored'])
  expect(entries.at(-1)![1]).toMatchObject({ requestId: 0, times: 4 })
  log.error(full(10), 'Not stored')
  expect(entries).toHaveLength(8)
})
