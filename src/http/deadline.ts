import { HttpProblem } from './problem.ts'

/**
 * The result of some work, or 503 when it takes too long. The work itself goes on: its statements have a limit of
 * their own, shorter than this one, so that it ends soon.
 */
export async function withDeadline<Result>(ms: number, work: Result | Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooSlow()), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

function tooSlow(): HttpProblem {
  const detail = 'The answer took too long: ask for less at once, or try again.'
  return new HttpProblem('service/too_slow', detail, { 'retry-after': '2' })
}
