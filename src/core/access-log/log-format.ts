import type { LineRefusal } from './line-refusal.ts'

export const LOG_FORMATS = ['nginx', 'combined', 'envoy', 'alb', 'json'] as const
export type LogFormatName = (typeof LOG_FORMATS)[number]

/** The fields of a line by name, unescaped, one character for each byte (see `byte-text.ts`). */
export interface LogFields extends ReadonlyMap<string, string> {
  /** Names that the line has more than once, so that nobody knows which value is meant. */
  readonly repeated?: ReadonlySet<string>
}

/** What an event needs of a line, each with the name of the field that has it. */
export interface Roles {
  /** `GET /v1/photos HTTP/1.1`; or `method` and `path` apart. */
  readonly request?: string
  readonly method?: string
  readonly path?: string
  readonly status?: string
  readonly time?: string
  /** Milliseconds from `time` to the end of the answer, where `time` is the begin of the request. */
  readonly durationMs?: string
  /** Undefined: lines are named by their place in the file. */
  readonly id?: string
}

export const ROLES = ['request', 'method', 'path', 'status', 'time', 'durationMs', 'id'] as const

/** How the lines of one kind of log are read. */
export interface LogFormat {
  readonly name: LogFormatName
  /** How a line's bytes are handed over: as UTF-8, or one character for each byte. */
  readonly encoding: 'utf8' | 'latin1'
  /** Undefined when any name may be there (JSON). */
  readonly fields: readonly string[] | undefined
  /** What can be told without being said in the mapping. */
  readonly roles: Roles
  /** The field that has a request header, if the format can have headers at all. */
  readonly headerField: (header: string) => string | undefined
  readonly read: (line: string) => LogFields | LineRefusal
}

export function isLineRefusal(value: object | string): value is LineRefusal {
  return typeof value === 'object' && 'code' in value && 'detail' in value
}

/** Every format of ours writes - for what is not there, and JSON has null or an empty text. */
export function fieldOf(fields: LogFields, name: string | undefined): string | undefined {
  const value = name === undefined ? undefined : fields.get(name)
  return value === '-' || value === '' ? undefined : value
}
