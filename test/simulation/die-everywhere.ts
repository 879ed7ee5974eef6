import { type Death, dyingProcess, ProcessDied } from './dying-pool.ts'
import type { Deployment } from '../system/deployment.ts'

type Pool = Deployment['pool']

/**
 * Do some work in a process that dies at its first statement, in one that dies at its second, and so on, until one lives
 * to its end. After each commit the count begins again, so that every statement of every transaction is died at.
 * @param how before the statement was sent, or when it was done and its answer is lost
 * @returns how often it died
 */
export async function dieEverywhere(
  pool: Pool,
  how: Exclude<Death, undefined>,
  work: (pool: Pool) => Promise<unknown>,
): Promise<number> {
  const DEATHS_MAX = 10_000
  let fatal = 1
  for (let deaths = 0; deaths < DEATHS_MAX; deaths++) {
    let statements = 0
    let committed = false
    const fate = (statement: string): Death => {
      statements += 1
      const dies = statements === fatal
      if (statement === 'commit' && !(dies && how === 'before')) committed = true
      return dies ? how : undefined
    }
    const dying = dyingProcess(pool, fate)
    try {
      await work(dying.pool)
      if (statements < fatal) return deaths
    } catch (error) {
      if (!(error instanceof ProcessDied)) throw error
      await dying.buried()
    }
    fatal = committed ? 1 : fatal + 1
  }
  throw new Error(`still at work after ${DEATHS_MAX} deaths`)
}
