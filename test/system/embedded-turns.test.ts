import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newIdentity } from '../../src/store/embedded/process-identity.ts'
import { inTurn } from '../../src/store/embedded/turns.ts'
import { compile, scratch } from './embedded-child.ts'

/** Adds one to a number in a file, many times, in a way that loses counts whenever two do it at once. */
const COUNTER = `
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { inTurn } from './src/store/embedded/turns.js'
const [dir, times] = process.argv.slice(2)
for (let i = 0; i < Number(times); i += 1) {
  await inTurn(dir + '/turns', 60_000, async () => {
    const count = Number(readFileSync(dir + '/count', 'utf8'))
    await sleep(Math.random() * 4)
    // A kill in the middle of writing must not leave an empty file.
    writeFileSync(dir + '/next', String(count + 1))
    renameSync(dir + '/next', dir + '/count')
    process.stdout.write('.')
  })
}
`

let compiled: ReturnType<typeof compile>
let dir: string
let counter: string
beforeAll(() => {
  compiled = compile()
  dir = scratch()
  counter = join(dirname(compiled.program), 'counter.mjs')
  writeFileSync(counter, COUNTER)
})
afterAll(() => {
  compiled.remove()
  rmSync(dir, { recursive: true })
})

function count(times: number) {
  return spawn(process.execPath, [counter, dir, String(times)], { stdio: ['ignore', 'pipe', 'inherit'] })
}

test('no two processes have their turn at once, even while others are killed in theirs', async () => {
  writeFileSync(join(dir, 'count'), '0')
  const steady = [count(40), count(40), count(40)]
  let counted = 0
  for (const child of steady) child.stdout.on('data', (dots: Buffer) => (counted += dots.length))
  const ends = steady.map((child) => once(child, 'exit'))
  for (let killed = 0; killed < 4; killed += 1) {
    const victim = count(1_000)
    victim.stdout.on('data', (dots: Buffer) => (counted += dots.length))
    await once(victim.stdout, 'data')
    await sleep(Math.random() * 100)
    victim.kill('SIGKILL')
    await once(victim, 'close')
  }
  expect(await Promise.all(ends)).toEqual([
    [0, null],
    [0, null],
    [0, null],
  ])
  // A victim may be killed after it has counted and before it has said so.
  const total = Number(readFileSync(join(dir, 'count'), 'utf8'))
  expect(total - counted).toBeGreaterThanOrEqual(0)
  expect(total - counted).toBeLessThanOrEqual(4)
  expect(total).toBeGreaterThan(120)
})

test('nobody goes ahead while a living process chooses its number; a dead one holds nobody up', async () => {
  const turns = join(dir, 'choosing')
  mkdirSync(turns)
  const [alive, dead] = [
    join(turns, `choosing@${newIdentity()}`),
    join(turns, `choosing@${process.pid}-1.0-0`),
  ]
  writeFileSync(dead, '')
  expect(await inTurn(turns, 50, async () => 'mine')).toBe('mine')
  writeFileSync(alive, '')
  expect(await inTurn(turns, 50, async () => 'mine')).toBeUndefined()
  rmSync(alive)
  expect(await inTurn(turns, 50, async () => 'mine')).toBe('mine')
})

test('two turns within one process are two turns, and patience has an end', async () => {
  const order: string[] = []
  const slow = inTurn(join(dir, 'own'), 5_000, async () => {
    await sleep(300)
    order.push('first')
    return 'done'
  })
  expect(await inTurn(join(dir, 'own'), 50, async () => order.push('too early'))).toBeUndefined()
  await inTurn(join(dir, 'own'), 5_000, async () => order.push('second'))
  expect(await slow).toBe('done')
  expect(order).toEqual(['first', 'second'])
})
