import { describe, expect, test } from 'vitest'
import { type Audit, audit } from '../simulation/auditor.ts'
import { differences, drive } from '../simulation/drive.ts'
import { randomHistory } from '../simulation/history.ts'
import { checkAnswers } from '../simulation/ledger.ts'

/** SEED=7 plays that history alone; HISTORIES=500 plays so many, from SEED or 1 on (docs/testing.md). */
const { SEED, HISTORIES } = process.env
const FIRST_SEED = Number(SEED ?? 1)
const COUNT = Number(HISTORIES ?? (SEED === undefined ? 10 : 1))
const HOUR_MS = 3_600_000

const audits: Omit<Audit, 'findings'>[] = []
/** And the codes of refusals. */
const outcomes = new Set<string>()

// Guarantee: whatever producers and processes do, each account owes exactly what its events say, and is told so.
describe('the books agree to the last digit', () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + COUNT; seed++) {
    test(`in history ${seed} (replay: SEED=${seed})`, async () => {
      const history = randomHistory(seed, Math.floor(Date.now() / HOUR_MS))
      const { deployed, tables, answers, quietVoids, closings, errors } = await drive(history)
      try {
        expect(errors).toEqual([])
        expect(await checkAnswers(deployed.pool, answers)).toEqual([])
        const windowHours = history.windowMs / HOUR_MS
        const { findings, ...counts } = await audit(deployed.pool, tables, windowHours, quietVoids, closings)
        expect(findings).toEqual([])
        expect(await differences(deployed.pool)).toEqual([])
        audits.push(counts)
        for (const { outcome, code } of answers) outcomes.add(outcome).add(code ?? '')
      } finally {
        await deployed.close()
      }
    })
  }

  // A simulation in which nothing ever happens agrees too. A few histories need not have everything.
  test('after everything that can happen has happened', () => {
    const few = COUNT < 10
    const kinds = ['accepted', 'conflict', 'duplicate', 'held', 'rejected'] as const
    const codes = ['event/account_closed', 'event/unknown_account']
    const answers = [...kinds, ...codes]
    expect(answers.filter((outcome) => few || outcomes.has(outcome))).toEqual(answers)
    const happened = [
      'late',
      'corrections',
      'waived',
      'rounded',
      'copies',
      'voids',
      'givenBack',
      'releases',
      'versions',
      'fills',
      'ends',
      'tiered',
      'givenDown',
      'listed',
    ] as const
    const often = happened.filter((what) => few || audits.reduce((sum, one) => sum + one[what], 0) > COUNT)
    expect(often).toEqual(happened)
  })
})
