import { mayPass, retryAfterMs } from './retry.ts'

/** What the server says of one event: only of those that were not simply accepted. */
export interface EventProblem {
  readonly index: number
  readonly outcome: string
  readonly code: string | null
  readonly detail: string | null
}

export type Counts = Readonly<Record<'accepted' | 'duplicates' | 'conflicts' | 'held' | 'rejected', number>>

export type Attempt =
  | { readonly kind: 'stored'; readonly counts: Counts; readonly problems: readonly EventProblem[] }
  | { readonly kind: 'again'; readonly askedMs: number; readonly why: Why }
  | { readonly kind: 'refused'; readonly why: Why }

export interface Why {
  readonly code: string
  readonly detail: string
  readonly status?: number
}

export interface Target {
  readonly url: string
  readonly key: string
  readonly timeoutMs: number
}

/** Bytes of a request that outlives the page which sends it. Browsers refuse more than 64 KiB under way at one moment. */
export const KEEPALIVE_BYTES_MAX = 60_000

/** Send events once, one a line. @param stop ends the attempt, which counts as one that has no answer */
export async function postBatch(
  { url, key, timeoutMs }: Target,
  lines: readonly string[],
  stop: AbortSignal,
): Promise<Attempt> {
  const ending = new AbortController()
  const end = () => ending.abort()
  const timer = setTimeout(end, timeoutMs)
  stop.addEventListener('abort', end)
  const body = new TextEncoder().encode(lines.join('\n'))
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/x-ndjson' },
      body,
      keepalive: body.length <= KEEPALIVE_BYTES_MAX,
      // One that is followed may become a GET, or take the key elsewhere.
      redirect: 'error',
      signal: ending.signal,
    })
    return judge(response, await response.text(), lines.length)
  } catch (error) {
    const detail = ending.signal.aborted ? `no answer within ${timeoutMs} ms` : reasonOf(error)
    return again('sdk/no_answer', `The server did not answer: ${detail}.`)
  } finally {
    clearTimeout(timer)
    stop.removeEventListener('abort', end)
  }
}

function judge(response: Response, text: string, events: number): Attempt {
  const { status, headers } = response
  const body = parse(text)
  if (status === 200) return readAnswer(body, events)
  const why = whyOf(status, body)
  if (mayPass(status)) {
    return { kind: 'again', askedMs: retryAfterMs(headers.get('retry-after'), Date.now()), why }
  }
  // What is no error and no answer of Farthing either came from something in between.
  return status >= 400 ? { kind: 'refused', why } : { kind: 'again', askedMs: 0, why }
}

/** 200 from anything but Farthing, such as a login page on the way, must not count as stored. */
function readAnswer(body: unknown, events: number): Attempt {
  const { accepted, duplicates, conflicts, held, rejected, problems } = members(body)
  const numbers = [accepted, duplicates, conflicts, held, rejected]
  const sum = numbers.every((count) => typeof count === 'number')
    ? numbers.reduce((total, count) => total + count, 0)
    : undefined
  if (sum !== events || !Array.isArray(problems)) {
    return again(
      'sdk/not_farthing',
      'The answer is not that of Farthing: check url, and what is in between.',
      200,
    )
  }
  return {
    kind: 'stored',
    counts: { accepted, duplicates, conflicts, held, rejected } as Counts,
    problems: problems as readonly EventProblem[],
  }
}

function whyOf(status: number, body: unknown): Why {
  const { code, detail } = members(body)
  return {
    code: typeof code === 'string' ? code : 'sdk/http_status',
    detail: typeof detail === 'string' ? detail : `The server answered with status ${status}.`,
    status,
  }
}

function again(code: string, detail: string, status?: number): Attempt {
  return { kind: 'again', askedMs: 0, why: { code, detail, ...(status === undefined ? {} : { status }) } }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function members(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

/** The cause says more than "fetch failed". */
function reasonOf(error: unknown): string {
  const { cause, message } = error as { cause?: { code?: string; message?: string }; message?: string }
  return cause?.code ?? cause?.message ?? message ?? String(error)
}
