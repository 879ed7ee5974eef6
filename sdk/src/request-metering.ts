import type { Meter } from './create-meter.ts'
import { MeterError } from './meter-error.ts'

/** Which of an application's requests are metered, and as what. All functions are called after the answer has left. */
export interface RequestMetering<Request> {
  /** Who pays; undefined, null or "" when nobody is known, such as before a key was checked. */
  readonly account: (request: Request) => string | null | undefined
  /**
   * @param route method and template, such as `GET /v1/photos/:id`; undefined when no route was reached. Left out:
   * the route itself
   * @returns undefined: not metered
   */
  readonly operation?: (request: Request, route: string | undefined) => string | undefined
  readonly project?: (request: Request) => string | null | undefined
  readonly region?: (request: Request) => string | null | undefined
  /** True for requests that are nobody's usage, such as those of a health check. */
  readonly skip?: (request: Request) => boolean
  /** Is told of each request that should have been metered and was not. Left out: some are on the console. */
  readonly onUnmetered?: (unmetered: Unmetered<Request>) => void
}

export interface Unmetered<Request> {
  /** `sdk/no_account`, `sdk/option_failed`, or why the meter took nothing, such as `sdk/queue_full`. */
  readonly code: string
  /** A sentence for people. */
  readonly detail: string
  readonly request: Request
  /** The status that left, or 499. */
  readonly status: number
}

/** Requests that the meter was not asked to count, or could not. */
export interface UnmeteredCounts {
  readonly skipped: number
  /** Without an operation: no route was reached, unless `operation` names one. */
  readonly noOperation: number
  readonly noAccount: number
  /** One of the options threw, the meter did, or it dropped the call. */
  readonly failed: number
}

/** Method and template of the route that a request has reached; undefined when it has reached none. */
export type RouteOf<Request> = (request: Request) => string | undefined

export interface RequestCounter<Request> {
  /** A request was answered, or its client has gone. Never throws, never waits. */
  readonly answered: (request: Request, routeOf: RouteOf<Request>, status: number) => void
  readonly unmetered: () => UnmeteredCounts
}

/** What all frameworks share. Its errors are told and counted: none may reach a request or the process. */
export function countRequests<Request>(
  meter: Pick<Meter, 'request'>,
  options: RequestMetering<Request>,
): RequestCounter<Request> {
  const counts = { skipped: 0, noOperation: 0, noAccount: 0, failed: 0 }
  const told = options.onUnmetered ?? warnSometimes()
  const tell = (unmetered: Unmetered<Request>) => {
    try {
      told(unmetered)
    } catch (error) {
      console.warn('Farthing usage: onUnmetered has thrown', error)
    }
  }
  const failed = (request: Request, status: number, error: unknown) => {
    counts.failed++
    const code = error instanceof MeterError ? error.code : 'sdk/option_failed'
    const detail = `A request was not metered: ${error instanceof Error ? error.message : String(error)}`
    tell({ code, detail, request, status })
  }
  const answered: RequestCounter<Request>['answered'] = (request, routeOf, status) => {
    if (options.skip?.(request) === true) return void counts.skipped++
    const route = routeOf(request)
    const operation = options.operation ? options.operation(request, route) : route
    if (operation === undefined) return void counts.noOperation++
    const account = options.account(request)
    if (account === undefined || account === null || account === '') {
      counts.noAccount++
      const detail = `A request of ${operation} was not metered: \`account\` named nobody.`
      return tell({ code: 'sdk/no_account', detail, request, status })
    }
    const place = { project: options.project?.(request), region: options.region?.(request) }
    // What was dropped for want of room the meter itself tells, with its event.
    meter.request({ account, operation, status, ...place }).then(
      (isTaken) => void (counts.failed += isTaken ? 0 : 1),
      (error) => failed(request, status, error),
    )
  }
  return {
    answered(request, routeOf, status) {
      try {
        answered(request, routeOf, status)
      } catch (error) {
        failed(request, status, error)
      }
    },
    unmetered: () => ({ ...counts }),
  }
}

/** The 1st, 10th, 100th … of each code: enough to be seen, too few to fill a disk. */
function warnSometimes(): (unmetered: Unmetered<unknown>) => void {
  const seen = new Map<string, number>()
  return ({ code, detail }) => {
    const count = (seen.get(code) ?? 0) + 1
    seen.set(code, count)
    if (/^10*$/.test(String(count))) {
      console.warn(`Farthing usage, not metered (${code}, ${count} until now): ${detail}`)
    }
  }
}
