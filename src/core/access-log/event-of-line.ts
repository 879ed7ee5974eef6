import type { Json } from '../text/canonical-json.ts'
import { formatInstant, type Instant } from '../time/instant.ts'
import { textOf } from './byte-text.ts'
import { type LineRefusal, refuseLine } from './line-refusal.ts'
import { fieldOf, isLineRefusal, type LogFields, type LogFormat, type Roles } from './log-format.ts'
import { readDurationMs, readLogTime } from './log-time.ts'
import { queryValues, readRequestLine, readTarget, type RequestTarget } from './request-target.ts'
import type { RouteTree } from './route-tree.ts'

/** Where an account, project or region comes from. */
export type ValueSource =
  | { readonly from: 'field' | 'path' | 'query'; readonly name: string }
  | { readonly from: 'value'; readonly value: string }

/** The first source that has a value gives it. */
export interface Places {
  readonly account: readonly ValueSource[]
  readonly project: readonly ValueSource[]
  readonly region: readonly ValueSource[]
}

export type Route = 'ignore' | (Places & { readonly operation: string })

/** Lines that need not be reported when a mapping says so; they are counted as ignored. */
export const EXCUSED = {
  malformed: 'log/malformed_request',
  unanswered: 'log/no_answer',
  anonymous: 'log/no_account',
} as const

/** A mapping that fits a format. */
export interface LineRules {
  readonly format: LogFormat
  readonly roles: Roles
  /** The events' `source`. */
  readonly source: string
  readonly routes: RouteTree<Route>
  readonly excused: ReadonlySet<string>
}

export type LineResult =
  | { readonly kind: 'event'; readonly event: { readonly [key: string]: Json } }
  | { readonly kind: 'ignored' }
  | { readonly kind: 'refused'; readonly refusal: LineRefusal }

const IGNORED: LineResult = { kind: 'ignored' }

/**
 * What a line of an access log says was used: one `farthing.request`, or why there is none.
 * @param place names the line if its format has no request id
 */
export function eventOfLine(rules: LineRules, line: string, place: string | undefined): LineResult {
  const result = readLine(rules, line, place)
  if (!isLineRefusal(result)) return result
  return rules.excused.has(result.code) ? IGNORED : { kind: 'refused', refusal: result }
}

function readLine(rules: LineRules, line: string, place: string | undefined): LineResult | LineRefusal {
  const { roles, source, format } = rules
  const fields = format.read(line)
  if (isLineRefusal(fields)) return fields
  const unclear = refuseRepeated(fields, Object.values(roles))
  if (unclear) return unclear
  const target = targetOf(fields, roles)
  if (!target) {
    const detail =
      'The line has no request as HTTP has them: add "malformed" to ignore if scanners send such.'
    return refuseLine('log/malformed_request', detail)
  }
  const found = rules.routes.find(target.method, target.segments)
  if (!found) {
    const request = `${target.method} /${target.segments.join('/')}`.slice(0, 200)
    return refuseLine('log/no_route', `No template matches ${request}: add one to operations or to ignore.`)
  }
  if (found.route === 'ignore') return IGNORED
  const status = readStatus(fieldOf(fields, roles.status))
  if (typeof status !== 'number') return status
  const { operation } = found.route
  const values = readPlaces(found.route, { fields, target, parameters: found.parameters })
  if (isLineRefusal(values)) return values
  const time = readTime(fields, roles)
  if (typeof time !== 'number') return time
  const id = roles.id === undefined ? place : textOf(fieldOf(fields, roles.id) ?? '')
  if (!id)
    return refuseLine(
      'log/no_request_id',
      `The line has no ${roles.id ?? 'place'}: it must name the request.`,
    )
  const { account, project, region } = values
  const event = {
    specversion: '1.0',
    id,
    source,
    type: 'farthing.request',
    subject: account,
    time: formatInstant(time),
    data: {
      operation,
      status,
      ...(project === undefined ? {} : { project }),
      ...(region === undefined ? {} : { region }),
    },
  }
  return { kind: 'event', event }
}

function targetOf(fields: LogFields, { request, method, path }: Roles): RequestTarget | undefined {
  if (request !== undefined) {
    const line = fieldOf(fields, request)
    return line === undefined ? undefined : readRequestLine(line)
  }
  const [verb, target] = [fieldOf(fields, method), fieldOf(fields, path)]
  return verb === undefined || target === undefined ? undefined : readTarget(verb, target)
}

/** 000, 0 and - stand for a client that was gone before there was an answer. */
function readStatus(text: string | undefined): number | LineRefusal {
  if (text === undefined || /^0\d{0,2}$/.test(text)) {
    const detail =
      'The line has no status, so nothing was answered: add "unanswered" to ignore if that is common.'
    return refuseLine('log/no_answer', detail)
  }
  if (/^[1-5]\d\d$/.test(text)) return Number(text)
  return refuseLine(
    'log/unreadable',
    'The status is not from 100 to 599: check that the format is that of this file.',
  )
}

function readTime(fields: LogFields, { time, durationMs }: Roles): Instant | LineRefusal {
  const text = fieldOf(fields, time)
  const at = text === undefined ? undefined : readLogTime(text)
  if (at === undefined) {
    const detail = `${time} is no time: log RFC 3339, seconds since 1970, or 28/Jul/2025:03:00:00 +0000.`
    return refuseLine('log/invalid_time', detail)
  }
  const took = fieldOf(fields, durationMs)
  if (took === undefined) return at
  const ms = readDurationMs(took)
  if (ms !== undefined) return (at + ms) as Instant
  return refuseLine('log/invalid_time', `${durationMs} is no number of milliseconds: log it as one.`)
}

/** That a field is there twice matters where it is asked for; so does an object that it stands in. */
function refuseRepeated({ repeated }: LogFields, names: readonly string[]): LineRefusal | undefined {
  if (!repeated || repeated.size === 0) return undefined
  const unclear = names.find((name) =>
    [...repeated].some((one) => name === one || name.startsWith(`${one}.`)),
  )
  if (unclear === undefined) return undefined
  const detail = `The line can be read in two ways, because it has ${JSON.stringify(unclear)} more than once: log it once.`
  return refuseLine('log/two_readings', detail)
}

interface LineParts {
  readonly fields: LogFields
  readonly target: RequestTarget
  readonly parameters: ReadonlyMap<string, string>
}

interface PlaceValues {
  readonly account: string
  readonly project: string | undefined
  readonly region: string | undefined
}

function readPlaces(places: Places, parts: LineParts): PlaceValues | LineRefusal {
  const [account, project, region] = (['account', 'project', 'region'] as const).map((place) =>
    readFirst(places[place], place, parts),
  )
  for (const value of [account, project, region]) if (typeof value === 'object') return value
  if (account === undefined) {
    const detail =
      'The line does not name its account: add another place to account, or "anonymous" to ignore.'
    return refuseLine('log/no_account', detail)
  }
  return { account, project, region } as PlaceValues
}

function readFirst(
  sources: readonly ValueSource[],
  place: string,
  parts: LineParts,
): string | undefined | LineRefusal {
  for (const source of sources) {
    const unclear = source.from === 'field' ? refuseRepeated(parts.fields, [source.name]) : undefined
    if (unclear) return unclear
    const values = valuesOf(source, parts).filter((value) => value !== '')
    if (values.length > 1) {
      const detail = `The query has more than one ${place}: nobody can tell who pays. Fix the client.`
      return refuseLine('log/no_account', detail)
    }
    if (values[0]?.includes('\ufffd')) {
      return refuseLine('log/not_text', `The ${place} is not UTF-8: the client must send it so.`)
    }
    if (values[0] !== undefined) return values[0]
  }
  return undefined
}

function valuesOf(source: ValueSource, { fields, target, parameters }: LineParts): readonly string[] {
  if (source.from === 'value') return [source.value]
  if (source.from === 'query') return queryValues(target.query, source.name)
  if (source.from === 'path') return [parameters.get(source.name) ?? '']
  return [textOf(fieldOf(fields, source.name) ?? '') ?? '\ufffd']
}
