import { describe, expect, test } from 'vitest'
import {
  CLOCK_GAIN_MAX_MS,
  CLOCK_RETURN_MS_MAX,
  type ClockAlarm,
  type ClockMemory,
  clockGainMs,
  judgeClock,
} from './clock.ts'
import type { Instant } from './instant.ts'

const START = Date.UTC(2025, 6, 28, 3) as Instant
const DAY_MS = 86_400_000
const SECOND_MS = 1_000

/** A process that looks: its measure of time begins at 0, and each look says what the database clock shows. */
function process(agreed: { agreements: number; alarm: ClockAlarm | undefined }) {
  let memory: ClockMemory | undefined
  return {
    look(elapsedMs: number, now: number) {
      const reading = { now: now as Instant, elapsedMs, ...agreed }
      const judged = judgeClock(memory, reading)
      memory = judged.memory
      if (judged.verdict === 'alarm begins') {
        agreed.alarm = { at: reading.now, acceptedAt: (now - judged.gainMs) as Instant, kind: 'jump' }
      }
      if (judged.verdict === 'alarm ends') {
        agreed.alarm = undefined
        agreed.agreements += 1
      }
      return judged.verdict
    },
    gain: (elapsedMs: number, now: number) => clockGainMs(memory!, { elapsedMs, now: now as Instant }),
  }
}

function noAlarm() {
  return { agreements: 0, alarm: undefined as ClockAlarm | undefined }
}

describe('a database clock is accepted', () => {
  test('by a process that begins, whatever it shows', () => {
    expect(process(noAlarm()).look(5, START + 3 * DAY_MS)).toBe('right')
  })

  test('up to a gain of 5 minutes between two looks, and not beyond', () => {
    const one = process(noAlarm())
    expect(one.look(0, START)).toBe('right')
    expect(one.look(SECOND_MS, START + SECOND_MS + CLOCK_GAIN_MAX_MS)).toBe('right')
    expect(one.look(2 * SECOND_MS, START + 2 * SECOND_MS + 2 * CLOCK_GAIN_MAX_MS + 1)).toBe('alarm begins')
  })

  test('after a pause that the process measures too', () => {
    const one = process(noAlarm())
    one.look(0, START)
    expect(one.look(DAY_MS, START + DAY_MS)).toBe('right')
  })

  test('when it goes back, and when it then returns', () => {
    const one = process(noAlarm())
    one.look(0, START)
    expect(one.look(SECOND_MS, START - DAY_MS)).toBe('right')
    expect(one.look(2 * SECOND_MS, START - DAY_MS + SECOND_MS)).toBe('right')
    expect(one.look(3 * SECOND_MS, START + 3 * SECOND_MS)).toBe('right')
    expect(one.look(4 * SECOND_MS, START + DAY_MS)).toBe('alarm begins')
  })

  test('but not when it returns after it has been back for an hour', () => {
    const one = process(noAlarm())
    one.look(0, START)
    one.look(SECOND_MS, START - DAY_MS)
    const late = SECOND_MS + CLOCK_RETURN_MS_MAX
    expect(one.look(late - 1, START - DAY_MS + late - SECOND_MS)).toBe('right')
    expect(one.look(late, START + late)).toBe('alarm begins')
  })
})

describe('a clock that jumps a day ahead', () => {
  test('is alarmed until the gain is gone', () => {
    const one = process(noAlarm())
    one.look(0, START)
    expect(one.look(1_000, START + DAY_MS)).toBe('alarm begins')
    expect(one.look(2_000, START + DAY_MS + 1_000)).toBe('alarmed')
    expect(one.gain(2_000, START + DAY_MS + 1_000)).toBe(DAY_MS - SECOND_MS)
    expect(one.look(3_000, START + 3_000)).toBe('alarm ends')
    expect(one.look(4_000, START + 4_000)).toBe('right')
  })

  test('is alarmed by all; a process that begins meanwhile takes the alarm over', () => {
    const agreed = noAlarm()
    const [one, two, young] = [process(agreed), process(agreed), process(agreed)]
    one.look(0, START)
    two.look(7_000_000, START)
    one.look(1_000, START + DAY_MS)
    expect(two.look(7_001_000, START + DAY_MS)).toBe('alarmed')
    expect(young.look(0, START + DAY_MS + 500)).toBe('alarmed')
    // The others die; the young one knows when the clock is right again.
    expect(young.look(1_000, START + DAY_MS + 1_500)).toBe('alarmed')
    expect(young.look(2_000, START + 4_000)).toBe('alarm ends')
    expect(one.look(5_000, START + 5_000)).toBe('right')
  })

  test('is not accepted by one that began between the jump and its discovery', () => {
    const agreed = noAlarm()
    const [one, young] = [process(agreed), process(agreed)]
    one.look(0, START)
    expect(young.look(0, START + DAY_MS)).toBe('right')
    expect(one.look(1_000, START + DAY_MS + 500)).toBe('alarm begins')
    expect(young.look(900, START + DAY_MS + 900)).toBe('alarmed')
    expect(young.look(2_000, START + DAY_MS + 2_000)).toBe('alarmed')
  })

  test('is accepted by all when someone says that it is right', () => {
    const agreed = noAlarm()
    const [one, two] = [process(agreed), process(agreed)]
    one.look(0, START)
    two.look(0, START)
    one.look(1_000, START + DAY_MS)
    two.look(1_000, START + DAY_MS)
    agreed.alarm = undefined
    agreed.agreements += 1
    expect(one.look(2_000, START + DAY_MS + 1_000)).toBe('right')
    expect(two.look(2_000, START + DAY_MS + 1_000)).toBe('right')
    expect(one.look(3_000, START + 2 * DAY_MS)).toBe('alarm begins')
  })

  test('is not alarmed for the sake of one process that was suspended, when others were awake', () => {
    const agreed = noAlarm()
    const [slept, awake] = [process(agreed), process(agreed)]
    slept.look(0, START)
    awake.look(0, START)
    expect(slept.look(1_000, START + DAY_MS)).toBe('alarm begins')
    expect(awake.look(DAY_MS, START + DAY_MS)).toBe('alarm ends')
    expect(slept.look(2_000, START + DAY_MS + 1_000)).toBe('right')
  })
})
