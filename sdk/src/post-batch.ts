import { adviceFor, adviceForNone } from './advice.ts'
import { judgeStatus, retryAfterMs } from './retry.ts'

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
  /** Nothing is known of any event: all of it is sent again. `refused`: when a person has put something right. */
  | {
      readonly kind: 'again' | 'refused'
      readonly askedMs: number
      readonly why: Why
      readonly mayPart: boolean
    }

export interface Why {
  readonly code: string
  /** What is wrong, and what to do. */
  readonly detail: string
  readonly status?: number
}

export interface Target {
  readonly url: string
  /** Undefined where a server in between adds it. */
  readonly key: string | undefined
  readonly timeoutMs: number
}

/** Bytes of a request that outlives the page which sends it. Browsers refuse more than 64 KiB in progress at one moment. */
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
      headers: {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        'content-type': 'application/x-ndjson',
      },
      body,
      keepalive: body.length <= KEEPALIVE_BYTES_MAX,
      // One that is followed may become a GET, or take the key elsewhere.
      redirect: 'manual',
      signal: ending.signal,
    })
    return judge(response, await response.text(), lines.length)
  } catch (error) {
    const { code, message } = ending.signal.aborted ? { code: undefined, message: '' } : reasonOf(error)
    const reason = message === '' ? `nothing came within ${timeoutMs} ms` : message
    return again('sdk/no_answer', `The server did not answer (${reason}). ${adviceForNone(code)}`)
  } finally {
    clearTimeout(timer)
    stop.removeEventListener('abort', end)
  }
}

function judge(response: Response, text: string, events: number): Attempt {
  const { status, headers } = response
  const body = parse(text)
  if (status === 200) return readAnswer(body, events)
  // Browsers show no more of a redirect than that there was one.
  if (status < 400) {
    const where = headers.get('location')
    const said = where === null ? `has status ${status}` : `sends on to ${where}`
    return again(
      'sdk/not_farthing',
      `The answer is not that of Farthing: it ${said}. ${adviceFor(status)}`,
      status,
    )
  }
  const { code, detail } = members(body)
  const isFarthings = typeof code === 'string'
  const judged = judgeStatus(status, isFarthings)
  const said =
    isFarthings && typeof detail === 'string' ? detail : `The server answered with status ${status}.`
  const why = {
    code: isFarthings ? code : 'sdk/http_status',
    detail: `${said} ${adviceFor(status)}`,
    status,
  }
  const askedMs = retryAfterMs(headers.get('retry-after'), Date.now())
  return { kind: judged === 'passing' ? 'again' : 'refused', askedMs, why, mayPart: judged === 'content' }
}

/** 200 from anything but Farthing, such as a login page on the way, must not count as stored. */
function readAnswer(body: unknown, events: number): Attempt {
  const { accepted, duplicates, conflicts, held, rejected, problems } = members(body)
  const numbers = [accepted, duplicates, conflicts, held, rejected]
  const sum = numbers.every((count): count is number => typeof count === 'number' && count >= 0)
    ? numbers.reduce((total, count) => total + count, 0)
    : undefined
  if (sum !== events || !Array.isArray(problems)) {
    return again(
      'sdk/not_farthing',
      `The answer is not that of Farthing, though its status is 200. ${adviceFor(200)}`,
      200,
    )
  }
  return {
    kind: 'stored',
    counts: { accepted, duplicates, conflicts, held, rejected } as Counts,
    problems: problems as readonly EventProblem[],
  }
}

function again(code: string, detail: string, status?: number): Attempt {
  return {
    kind: 'again',
    askedMs: 0,
    mayPart: false,
    why: { code, detail, ...(status === undefined ? {} : { status }) },
  }
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
function reasonOf(error: unknown): { readonly code: string | undefined; readonly message: string } {
  const { cause, message } = error as { cause?: { code?: string; message?: string }; message?: string }
  return { code: cause?.code, message: cause?.code ?? cause?.message ?? message ?? String(error) }
}
