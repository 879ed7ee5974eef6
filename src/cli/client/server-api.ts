import { CommandFailed, EXIT } from '../terminal/command-failed.ts'
import type { AnswerTo, Asked, ItemOf, Listed, ListRequest, RequestOptions, RequestTo } from './api-types.ts'
import { inCommands } from './command-words.ts'
import type { ServerAddress } from './server-address.ts'

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

/** Speaks to a running server, with one key. Endpoints are named as src/api declares them, with the types that it declares. */
export interface ServerApi {
  readonly url: string
  /** The body of a good answer, as it came. @throws ApiRefused, NoAnswer */
  text<Name extends Asked>(name: Name, ...request: Needed<RequestTo<Name>>): Promise<string>
  /** The same, as JSON. */
  json<Name extends Asked>(name: Name, ...request: Needed<RequestTo<Name>>): Promise<AnswerTo<Name>>
  /**
   * The items of a list, page by page.
   * @param limit of items in all
   */
  list<Name extends Listed>(
    name: Name,
    request: ListRequest<Name>,
    limit?: number,
  ): AsyncGenerator<ItemOf<Name>>
  /**
   * The lines of a long answer, some at a time, as they come; each with its line break.
   * @throws NoAnswer also when it breaks off
   */
  lines<Name extends Asked>(
    name: Name,
    ...request: Needed<RequestTo<Name>>
  ): AsyncGenerator<readonly string[]>
}

/** A request may be left out when nothing in it is needed. */
type Needed<Value> = {} extends Value ? [request?: Value] : [request: Value]

/** Any request, once the types have seen to it that it fits. */
interface AnyRequest extends RequestOptions {
  readonly params?: Readonly<Record<string, string | number>>
  readonly query?: Readonly<Record<string, string | number | readonly string[] | undefined>>
  readonly json?: unknown
}

interface AnyPage {
  readonly items: readonly unknown[]
  readonly next: string | null
}

export function makeApi(address: ServerAddress): ServerApi {
  const ask = (name: string, request: AnyRequest = {}) => askText(address, name, request)
  // What is answered is of the declared type: the server's handlers are compiled against it.
  const askJson = async (name: string, request?: AnyRequest) =>
    JSON.parse(await ask(name, request)) as unknown
  async function* list(name: string, request: AnyRequest, limit = Number.POSITIVE_INFINITY) {
    let [left, cursor]: [number, string | null] = [limit, null]
    do {
      const paging = { limit: Math.min(PAGE_MAX, left), ...(cursor === null ? {} : { cursor }) }
      const page = (await askJson(name, { ...request, query: { ...request.query, ...paging } })) as AnyPage
      yield* page.items
      left -= page.items.length
      cursor = page.next
    } while (cursor !== null && left > 0)
  }
  const lines = (name: string, request: AnyRequest = {}) => askLines(address, name, request)
  return { url: address.url, text: ask, json: askJson, list, lines } as ServerApi
}

async function* askLines(
  { url, key }: ServerAddress,
  name: string,
  request: AnyRequest,
): AsyncGenerator<readonly string[]> {
  const response = await send(url, key, name, request)
  if (!response.ok) throw refusalOf(response, await readBody(response, url), url)
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for await (const bytes of response.body!) {
      const parts = (rest + decoder.decode(bytes, { stream: true })).split('\n')
      rest = parts.pop()!
      if (parts.length > 0) yield parts.map((part) => `${part}\n`)
    }
  } catch (error) {
    throw noAnswer(error, url)
  }
  if (rest !== '') throw new NoAnswer(`The server at ${url} broke off: try again.`, undefined)
}

async function askText({ url, key }: ServerAddress, name: string, request: AnyRequest): Promise<string> {
  const response = await send(url, key, name, request)
  const body = await readBody(response, url)
  if (!response.ok) throw refusalOf(response, body, url)
  return body
}

/** `GET /v1/bills/:id` with its parts filled in. Ids may hold any character but U+0000: each part is escaped by itself. */
function fillIn(path: string, params: Readonly<Record<string, string | number>>): string {
  return path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name]!))
}

async function send(url: string, key: string, name: string, request: AnyRequest): Promise<Response> {
  const { params = {}, query = {}, json, headers = {}, body, signal } = request
  const [method = '', path = ''] = name.split(' ')
  const target = new URL(`${url}${fillIn(path, params)}`)
  for (const [each, value] of Object.entries(query)) {
    for (const one of [value ?? []].flat()) target.searchParams.append(each, String(one))
  }
  const type = json === undefined ? {} : { 'content-type': 'application/json' }
  const sent = json === undefined ? body : JSON.stringify(json)
  try {
    return await fetch(target, {
      method,
      headers: { authorization: `Bearer ${key}`, ...type, ...headers },
      ...(sent === undefined ? {} : { body: sent }),
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
  if (problem) return new ApiRefused(status, problem.code, inCommands(problem.detail), retryAfter)
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
