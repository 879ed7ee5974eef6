import type { Random } from '../../bench/generate/random.ts'
import type { Json } from '../../src/core/text/canonical-json.ts'

export interface UsageData {
  readonly type: string
  readonly data: Json
}

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.below(list.length)]!
}

const PLACES = [undefined, '', 'p', 'q', 'ü'] as const

/** What one event says: of every kind, priced, free, held, waived, and some that must be refused. */
export function usageData(random: Random): UsageData {
  const roll = random.unit()
  if (roll < 0.4) return request(random)
  if (roll < 0.72) return processing(random)
  if (roll < 0.97) return storage(random)
  return pick(random, [
    { type: 'com.example.odd', data: { anything: [1, 'x', null] } },
    { type: 'farthing.request', data: { operation: 'Get', status: 200, count: 0.5 } },
    { type: 'farthing.request', data: { operation: 'Get', status: 99 } },
    { type: 'farthing.storage', data: { bytes: -1 } },
  ])
}

function place(random: Random): { [key: string]: Json } {
  const [project, region] = [pick(random, PLACES), pick(random, PLACES.slice(0, 3))]
  return { ...(project === undefined ? {} : { project }), ...(region === undefined ? {} : { region }) }
}

function request(random: Random): UsageData {
  const operation = pick(random, ['Get', 'Get', 'List', 'Search', 'Ping', 'Nobody', 'Tool'])
  const status = pick(random, [200, 200, 201, 304, 404, 429, 500, 503])
  const count = pick(random, [
    undefined,
    undefined,
    1,
    3,
    0,
    '7',
    '12',
    Number.MAX_SAFE_INTEGER,
    '123456789012345678901234567890',
  ])
  const data = { operation, status, ...place(random), ...(count === undefined ? {} : { count }) }
  return { type: 'farthing.request', data }
}

function processing(random: Random): UsageData {
  const type = random.chance(0.2)
    ? pick(random, ['com.example.page', 'com.example.fresh'])
    : 'farthing.processing'
  const operation =
    type === 'farthing.processing'
      ? pick(random, ['Faces', 'Cars', 'Convert', 'Render', 'Later', 'Score', 'Old', 'Extra'])
      : undefined
  const mode = pick(random, ['sync', 'async'])
  const outcome = mode === 'async' ? pick(random, ['succeeded', 'succeeded', 'failed']) : undefined
  const quantities = {
    call: pick(random, [1, 1, '3', '0.5', '0.000000000001']),
    millisecond: pick(random, ['83250', 1, '59999.999999999999']),
    // Without its unit an event is refused, unless it failed.
    ...(random.chance(0.9) ? { page: pick(random, [1, 2, '7']) } : {}),
    pixel: pick(random, ['1000000', '999999', '12000000']),
  }
  const data = {
    ...(operation === undefined ? {} : { operation }),
    mode,
    ...(outcome === undefined ? {} : { outcome }),
    quantities,
    ...place(random),
  }
  return { type, data }
}

function storage(random: Random): UsageData {
  const type = random.chance(0.2)
    ? pick(random, ['com.example.level', 'com.example.stock'])
    : 'farthing.storage'
  const bytes = pick(random, ['0', '0', 1, '1000000000', '123456789012345678901234567890'])
  const dataset = pick(random, [undefined, 'd'])
  return { type, data: { bytes, ...place(random), ...(dataset === undefined ? {} : { dataset }) } }
}
