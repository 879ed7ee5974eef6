import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { type Hour, hourOf, startOf } from '../../src/core/time/hour.ts'
import { formatInstant, type Instant } from '../../src/core/time/instant.ts'
import { type Deployment, deployment, essence } from './deployment.ts'

const SAMPLE = new URL('../../samples/imm-day.ndjson.gz', import.meta.url)

function sampleDay(): readonly { readonly subject: string; readonly [key: string]: Json }[] {
  const text = gunzipSync(readFileSync(SAMPLE)).toString()
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly subject: string })
}

describe('a day of last year, sent now', () => {
  const events = sampleDay()
  let deployed: Deployment
  beforeAll(async () => {
    deployed = await deployment()
    for (let at = 0; at < events.length; at += 1_000) await deployed.send(events.slice(at, at + 1_000))
    await deployed.settle()
  })
  afterAll(() => deployed.close())

  test('has, account by account, the bills that paper has', async () => {
    const paper = deployed.paper(events)
    for (const account of new Set(events.map(({ subject }) => subject))) {
      const issued = await deployed.billsOf(account)
      expect(issued.map(essence)).toEqual(paper.filter((bill) => bill.account === account).map(essence))
      expect(issued.every(({ late, demo }) => late && demo)).toBe(true)
    }
  })

  test('sent again changes nothing', async () => {
    const outcomes = await deployed.send(events.slice(0, 5_000))
    expect(new Set(outcomes)).toEqual(new Set(['duplicate']))
    expect(await deployed.settle()).toBe(0)
  })
})

describe('live hours', () => {
  const now = hourOf(Date.now() as Instant)
  const first = (now - 5) as Hour
  let deployed: Deployment
  beforeAll(async () => {
    deployed = await deployment(first)
  })
  afterAll(() => deployed.close())

  function at(hour: number, minutes: number): string {
    return formatInstant((startOf(hour as Hour) + minutes * 60_000) as Instant)
  }
  function request(id: string, time: string, more: Record<string, Json> = {}): Json {
    const data = { operation: 'SimpleQuery', status: 200, ...more }
    return { specversion: '1.0', id, source: 's', type: 'farthing.request', subject: 'acme', time, data }
  }
  function level(id: string, time: string, bytes: string): Json {
    const data = { project: 'photos', dataset: 'd', bytes }
    return { specversion: '1.0', id, source: 's', type: 'farthing.storage', subject: 'acme', time, data }
  }

  test('are billed like paper; what is late becomes a correction that names its bill', async () => {
    const early = [
      request('1', at(first, 10)),
      level('l1', at(first, 30), '1000000000'),
      request('2', at(first + 2, 10)),
    ]
    expect(await deployed.send(early)).toEqual(['accepted', 'accepted', 'accepted'])
    expect(await deployed.settle()).toBeGreaterThanOrEqual(4)
    const before = await deployed.billsOf('acme')
    // Hours `first` to the last sealed one: storage goes on without a new event.
    expect(before.length).toBeGreaterThanOrEqual(4)
    expect(before.slice(0, 3).map(essence)).toEqual(deployed.paper(early).map(essence))
    const late = [request('3', at(first + 2, 20)), level('l2', at(first + 1, 0), '3000000000')]
    expect(await deployed.send(late)).toEqual(['accepted', 'accepted'])
    await deployed.settle()
    expect(await deployed.billsOf('acme')).toEqual(before)
    // The open hour is sealed and settled as if it had ended.
    await deployed.settle({ graceMs: -3_600_000 })
    const after = await deployed.billsOf('acme')
    const correcting = after.at(-1)!
    const corrections = correcting.lines
      .filter(({ usageHour }) => usageHour !== correcting.hour)
      .map((line) => [line.component, line.usageHour, line.quantity, line.corrects])
    const between = after.filter(({ hour }) => hour > first && hour < correcting.hour)
    const restated = between.map(({ hour, id }) => ['storage', hour, '7200000000000000', id])
    const correctedCall = ['request', first + 2, '1', between[1]!.id]
    expect(corrections).toHaveLength(restated.length + 1)
    expect(corrections).toEqual(expect.arrayContaining([...restated, correctedCall]))
  })
})
