import type { Meter } from './meter.ts'
import { operationOfRoute } from './route-operation.ts'
import { refuseUnknown } from './known-members.ts'
import { invalidOption, MeterError } from './meter-error.ts'
import { thinned } from './thinned.ts'

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
  refuseOptions(meter, options)
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
    const reached = routeOf(request)
    const route = reached === undefined ? undefined : operationOfRoute(reached)
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

const KNOWN: Readonly<Record<keyof RequestMetering<unknown>, true>> = {
  account: true,
  operation: true,
  project: true,
  region: true,
  skip: true,
  onUnmetered: true,
}

/** A slip in the options would else be told with every request, when it is too late for the first ones. */
function refuseOptions(meter: unknown, options: unknown): void {
  if (typeof (meter as Partial<Meter> | undefined)?.request !== 'function') {
    throw invalidOption('meterRequests has no meter: pass what createMeter returns first.')
  }
  if (typeof options !== 'object' || options === null || !('account' in options)) {
    throw invalidOption('account is missing: pass { account: (request) => … }, which says who pays.')
  }
  refuseUnknown(options, Object.keys(KNOWN), 'the options of meterRequests', invalidOption)
  for (const [name, value] of Object.entries(options)) {
    if (typeof value === 'function' || (value === undefined && name !== 'account')) continue
    throw invalidOption(`${name} is no function: pass one that takes a request.`)
  }
}

/** The 1st, 10th, 100th … of each code: enough to be seen, too few to fill a disk. */
function warnSometimes(): (unmetered: Unmetered<unknown>) => void {
  const shown = thinned()
  return ({ code, detail }) => {
    const count = shown(code)
    if (count !== undefined) {
      console.warn(`Farthing usage, not metered (${code}, ${count} until now): ${detail}`)
    }
  }
}
