import { expect, test, vi } from 'vitest'
import type { ProcessingFact } from './facts.ts'
import { type Job, meterJob } from './meter-job.ts'

const JOB: Job = { account: 'acme', operation: 'CreateMediaConvertTask', task: 't-1', project: 'photos' }

function notingMeter() {
  const facts: ProcessingFact[] = []
  return { facts, processing: (fact: ProcessingFact) => Promise.resolve(facts.push(fact) > 0) }
}

const oneMs = () => ({ millisecond: 1 })

/** Work that takes a minute, by a clock that the test moves. */
async function inAMinute<Result>(work: () => Result): Promise<Result> {
  vi.setSystemTime(Date.UTC(2026, 0, 1, 10, 0, 30))
  await Promise.resolve()
  vi.setSystemTime(Date.UTC(2026, 0, 1, 10, 1, 30))
  return work()
}

test('nothing is metered at submission; the completion is, once, at its own time', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const meter = notingMeter()
  const running = meterJob(
    meter,
    { ...JOB, id: 'own' },
    () => inAMinute(() => 83_250n),
    (ms) => {
      // Measuring takes time too.
      vi.setSystemTime(Date.UTC(2026, 0, 1, 10, 2))
      return { millisecond: ms }
    },
  )
  expect(meter.facts).toEqual([])
  expect(await running).toBe(83_250n)
  const at = Date.UTC(2026, 0, 1, 10, 1, 30)
  const measured = { outcome: 'succeeded', quantities: { millisecond: 83_250n } }
  expect(meter.facts).toEqual([{ ...JOB, mode: 'async', id: 'own', at, ...measured }])
  vi.useRealTimers()
})

test.each(['thrown', 'rejected'] as const)(
  'a job that has failed (%s) is metered as failed, without quantities, and its error is the caller’s',
  async (how) => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const meter = notingMeter()
    const failure = new Error('no such file')
    const work = () => {
      if (how === 'rejected') return inAMinute(() => Promise.reject(failure))
      vi.setSystemTime(Date.UTC(2026, 0, 1, 10, 1, 30))
      throw failure
    }
    await expect(meterJob(meter, { ...JOB, id: 'own' }, work, oneMs)).rejects.toBe(failure)
    const at = Date.UTC(2026, 0, 1, 10, 1, 30)
    // Not under its own identity: an attempt that succeeds later has it.
    expect(meter.facts).toEqual([{ ...JOB, mode: 'async', outcome: 'failed', at }])
    vi.useRealTimers()
  },
)

test('a job that could never be metered does not begin', async () => {
  const work = vi.fn<() => number>()
  const refused = meterJob(notingMeter(), { ...JOB, account: '' }, work, () => ({ call: 1 }))
  await expect(refused).rejects.toMatchObject({ code: 'sdk/invalid_fact' })
  expect(work).not.toHaveBeenCalled()
})

test.each([
  ['the meter throws', () => Promise.resolve(1), 'closed'],
  ['the meter rejects', () => Promise.resolve(1), 'rejected'],
  ['the quantities throw', () => Promise.resolve(1), 'unmeasured'],
  ['the listener throws, too', () => Promise.resolve(1), 'closed'],
] as const)('the result is returned when %s, and that is told', async (say, work, message) => {
  const told: string[] = []
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  const meter = {
    processing() {
      if (message === 'rejected') return Promise.reject(new Error(message))
      throw new Error('closed')
    },
  }
  const onUnmetered = (error: unknown) => {
    told.push((error as Error).message)
    if (say.startsWith('the listener')) throw new Error('from the listener')
  }
  const result = meterJob(meter, { ...JOB, onUnmetered }, work, () => {
    if (message === 'unmeasured') throw new Error(message)
    return { millisecond: 1 }
  })
  expect(await result).toBe(1)
  await Promise.resolve()
  expect(told).toEqual([message])
  expect(warn).toHaveBeenCalledTimes(say.startsWith('the listener') ? 1 : 0)
  warn.mockRestore()
})

test('a meter that never answers delays no result', async () => {
  const meter = { processing: () => new Promise<boolean>(() => {}) }
  const job = meterJob(meter, JOB, () => 'done', oneMs)
  expect(await job).toBe('done')
})
