import { HttpProblem } from './api/problem.ts'

/**
 * The result of some work, or 503 when it takes too long. The work itself goes on: its statements have a limit of
 * their own, shorter than this one, so that it ends soon.
 */
export function withDeadline<Result>(ms: number, work: Result | Promise<Result>): Result | Promise<Result> {
  if (!(work instanceof Promise)) return work
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(tooSlow()), ms)
    work.then(
      (result) => {
        clearTimeout(timer)
        resolve(result)
      },
      (error: unknown) => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })
}

function tooSlow(): HttpProblem {
  const detail = 'The answer took too long: ask for less at once, or try again.'
  return new HttpProblem('service/too_slow', detail, { 'retry-after': '2' })
}
