import { expect, test } from 'vitest'
import { HEARTBEAT_EVERY_MS, HEARTBEAT_PATIENCE_MS, makeWatch } from '../../src/store/heartbeat.ts'

const LOOKS = Math.ceil(HEARTBEAT_PATIENCE_MS / HEARTBEAT_EVERY_MS)

function processes(sign: string, holds = true) {
  return [{ process: 'a', sign, holds }]
}

test('a process that holds something loses it when its sign has not changed for 15 s, not before', () => {
  const watch = makeWatch()
  for (let look = 0; look < LOOKS; look++) {
    expect(watch(processes('same'), look * HEARTBEAT_EVERY_MS)).toEqual([])
  }
  expect(watch(processes('same'), LOOKS * HEARTBEAT_EVERY_MS)).toEqual(processes('same'))
})

test('a process that gives signs keeps what it holds for as long as it likes', () => {
  const watch = makeWatch()
  for (let look = 0; look < 10 * LOOKS; look++) {
    // Even one that is slow: a new sign with every fifth look.
    expect(watch(processes(String(Math.floor(look / 5))), look * HEARTBEAT_EVERY_MS)).toEqual([])
  }
})

test('a process that holds nothing is left alone', () => {
  const watch = makeWatch()
  for (let look = 0; look < 3 * LOOKS; look++) {
    expect(watch(processes('same', false), look * HEARTBEAT_EVERY_MS)).toEqual([])
  }
})

test('a process that was away itself does not judge others by that time', () => {
  const watch = makeWatch()
  watch(processes('same'), 0)
  const back = 3_600_000
  expect(watch(processes('same'), back)).toEqual([])
  expect(watch(processes('new'), back + HEARTBEAT_EVERY_MS)).toEqual([])
})
