import { expect, test } from 'vitest'
import { HTTP_PROBLEMS } from '../../src/http/api/problem.ts'
import { isOfData, isUnavailable, troubleOf } from '../../src/store/trouble.ts'

// Guarantee: what is wrong with the database or the machine is told by name; anything else is about the data, or a bug.

const STATES: readonly (readonly [code: string, trouble: string | undefined])[] = [
  ['08000', 'service/unavailable'],
  ['08006', 'service/unavailable'],
  ['08P01', 'service/unavailable'],
  ['57P01', 'service/unavailable'],
  ['57P02', 'service/unavailable'],
  ['57P03', 'service/unavailable'],
  ['25006', 'service/read_only'],
  ['40001', 'service/busy'],
  ['40P01', 'service/busy'],
  ['55P03', 'service/busy'],
  ['42501', 'service/denied'],
  ['28P01', 'service/denied'],
  ['42P01', 'service/schema'],
  ['42703', 'service/schema'],
  ['53100', 'service/disk_full'],
  ['53200', 'service/out_of_memory'],
  ['53300', 'service/too_many_sessions'],
  ['57014', 'service/too_slow'],
  ['58030', 'service/io_error'],
  ['XX001', 'service/damaged'],
  ['XX002', 'service/damaged'],
  ['22P02', undefined],
  ['23514', undefined],
  ['P0001', undefined],
]

test.for(STATES)('SQLSTATE %s is %s', ([code, trouble]) => {
  expect(troubleOf(Object.assign(new Error('x'), { code }))?.code).toBe(trouble)
})

const SYSTEM: readonly (readonly [code: string, trouble: string])[] = [
  ['ECONNREFUSED', 'service/unavailable'],
  ['ECONNRESET', 'service/unavailable'],
  ['ENOENT', 'service/unavailable'],
  ['EMFILE', 'service/no_descriptors'],
  ['ENFILE', 'service/no_descriptors'],
  ['ENOSPC', 'service/disk_full'],
  ['EROFS', 'service/read_only'],
  ['EIO', 'service/io_error'],
]

test.for(SYSTEM)('%s of a connection is %s', ([code, trouble]) => {
  const error = Object.assign(new Error('connect'), { code, syscall: 'connect' })
  expect(troubleOf(error)?.code).toBe(trouble)
  expect(troubleOf(new AggregateError([error, error]))?.code).toBe(trouble)
  expect(troubleOf(new AggregateError([error, new Error('a bug')]))).toBeUndefined()
})

test('every trouble is an answer, and says what to do', () => {
  for (const [code] of STATES) {
    const trouble = troubleOf(Object.assign(new Error('x'), { code }))
    if (!trouble) continue
    expect(HTTP_PROBLEMS[trouble.code].status).toBeGreaterThanOrEqual(500)
    expect(trouble.detail).toMatch(/^[A-Z].*: .*\.$/)
    expect(trouble.advice).toMatch(/^[A-Z].*: .*\.$/)
  }
})

test('a damaged page and a cancelled statement may be of one account; a full disk is of all', () => {
  const of = (code: string) => Object.assign(new Error('x'), { code })
  expect(['XX001', '57014', '22P02', '23505'].map((code) => isOfData(of(code)))).toEqual([
    true,
    true,
    true,
    true,
  ])
  expect(['53100', '25006', '40P01', '08006'].map((code) => isOfData(of(code)))).toEqual([
    false,
    false,
    false,
    false,
  ])
  expect(isOfData(new TypeError('a bug'))).toBe(true)
  expect(isUnavailable(of('53100'))).toBe(false)
  expect(isUnavailable(of('57P03'))).toBe(true)
})
