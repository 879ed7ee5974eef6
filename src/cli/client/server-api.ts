import { CommandFailed, EXIT } from '../terminal/command-failed.ts'
import type { ServerAddress } from './server-address.ts'

/** What a list of the API answers. */
interface Page<Item> {
  readonly items: readonly Item[]
  readonly next: string | null
}

export type Query = Readonly<Record<string, string | number | undefined>>

export interface ApiRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly query?: Query
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  readonly signal?: AbortSignal | undefined
}

/** Items of one page of the API, at most. */
const PAGE_MAX = 1000

/** The server said no. `code` is one of docs/errors.md. */
export class ApiRefused extends CommandFailed {
  readonly status: number
  readonly code: string
  readonly retryAfterSeconds: number | undefined

  constructor(status: number, code: string, detail: string, retryAfterSeconds?: number) {
    super(`${detail} (${code})`, code.includes('parameter') ? EXIT.usage : EXIT.failed)
    this.status = status
    this.code = code
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** There was no answer. It is not known whether the request was carried out. */
export class NoAnswer extends CommandFailed {
  /** `ECONNREFUSED`, `ECONNRESET`, …; undefined when the system gave none. */
  readonly code: string | undefined

  constructor(message: string, code: string | undefined) {
    super(message)
    this.code = code
  }
}

/** Speaks to a running server, with one key. */
export interface ServerApi {
  readonly url: string
  /** The body of a good answer, as it came. @throws ApiRefused, NoAnswer */
  text(path: string, request?: ApiRequest): Promise<string>
  /** The same, as JSON. */
  json<Answer>(path: string, request?: ApiRequest): Promise<Answer>
  /**
   * The items of a list, page by page.
   * @param limit of items in all
   */
  list<Item>(path: string, query: Query, limit?: number): AsyncGenerator<Item>
}

export function makeApi({ url, key }: ServerAddress): ServerApi {
  const api: ServerApi = {
    url,
    async text(path, request = {}) {
      const response = await send(url, key, path, request)
      const body = await readBody(response, url)
      if (!response.ok) throw refusalOf(response, body, url)
      return body
    },
    async json<Answer>(path: string, request?: ApiRequest) {
      return JSON.parse(await api.text(path, request)) as Answer
    },
    async *list<Item>(path: string, query: Query, limit = Number.POSITIVE_INFINITY) {
      let [left, cursor]: [number, string | null] = [limit, null]
      do {
        const paging = { limit: Math.min(PAGE_MAX, left), ...(cursor === null ? {} : { cursor }) }
        const page: Page<Item> = await api.json(path, { query: { ...query, ...paging } })
        yield* page.items
        left -= page.items.length
        cursor = page.next
      } while (cursor !== null && left > 0)
    },
  }
  return api
}

/** Ids of bills may hold any character but U+0000: each part of a path is escaped by itself. */
export function apiPath(...parts: readonly string[]): string {
  return `/${parts.map(encodeURIComponent).join('/')}`
}

async function send(url: string, key: string, path: string, request: ApiRequest): Promise<Response> {
  const { method = 'GET', query = {}, headers = {}, body, signal } = request
  const target = new URL(`${url}${path}`)
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) target.searchParams.set(name, String(value))
  }
  try {
    return await fetch(target, {
      method,
      headers: { authorization: `Bearer ${key}`, ...headers },
      ...(body === undefined ? {} : { body }),
      ...(signal ? { signal } : {}),
    })
  } catch (error) {
    throw noAnswer(error, url)
  }
}

async function readBody(response: Response, url: string): Promise<string> {
  try {
    return await response.text()
  } catch (error) {
    throw noAnswer(error, url)
  }
}

function noAnswer(error: unknown, url: string): Error {
  const cause = error instanceof Error ? error.cause : undefined
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined
  if (!(error instanceof TypeError)) return error instanceof Error ? error : new Error(String(error))
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    const advice = 'start it with `farthing serve`, or name another with --url or FARTHING_URL'
    return new NoAnswer(`No server answers at ${url}: ${advice}.`, code)
  }
  const reason = code ?? (cause instanceof Error ? cause.message : error.message)
  return new NoAnswer(`The server at ${url} broke off (${reason}): try again.`, code)
}

function refusalOf(response: Response, body: string, url: string): ApiRefused {
  const { status, headers } = response
  const seconds = Number(headers.get('retry-after') ?? Number.NaN)
  const retryAfter = Number.isFinite(seconds) ? seconds : undefined
  const problem = problemOf(body)
  if (problem) return new ApiRefused(status, problem.code, problem.detail, retryAfter)
  const detail = `${url} answers ${status}, but not as Farthing does: check --url or FARTHING_URL.`
  return new ApiRefused(status, `http/${status}`, detail, retryAfter)
}

function problemOf(body: string): { readonly code: string; readonly detail: string } | undefined {
  try {
    const problem = JSON.parse(body) as { code?: unknown; detail?: unknown }
    const { code, detail } = problem
    return typeof code === 'string' && typeof detail === 'string' ? { code, detail } : undefined
  } catch {
    return undefined
  }
}
