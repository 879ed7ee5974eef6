import { makeQuestionPool } from '../../store/question-pool.ts'
import { HttpProblem } from '../api/problem.ts'
import type { Call, HttpContext, Route } from '../route.ts'
import type { QuestionKind } from './question-gate.ts'
import { addressGroup } from './address-group.ts'
import { rateHeaders, refusalHeaders } from './rate-limit.ts'

type Handle = (call: Call<unknown, unknown>, context: HttpContext) => unknown

/** The same handler, which waits for its turn with what reads the ledger. */
export function asQuestion(route: Route, handle: Handle): Handle {
  const { access, isProbe = false } = route
  if (access === 'open' || isProbe) return handle
  return (call, context) => {
    const kind = kindOf(route, call.query)
    return kind === undefined ? handle(call, context) : ask(kind, handle, call, context)
  }
}

/** Whatever its route: what reads, and what says what would be written. */
function kindOf({ method, asks }: Route, query: unknown): QuestionKind | undefined {
  if (method === 'GET' || asks) return 'question'
  return (query as { readonly dryRun?: unknown }).dryRun === 'true' ? 'dryRun' : undefined
}

async function ask(
  kind: QuestionKind,
  handle: Handle,
  call: Call<unknown, unknown>,
  context: HttpContext,
): Promise<unknown> {
  const { reply } = call
  // Where the log is public nobody needs a key: an address asks as a bound key does.
  const key = call.key ?? { id: `address ${addressGroup(call.request.ip)}`, account: '' }
  const { gates, reading, probes } = context
  const left = gates.questionRate.use(key.id)
  if (!left.ok) throw tooFrequent(left.limit, refusalHeaders(left))
  void reply.headers(rateHeaders(left))
  const gone = new AbortController()
  // Also after an answer: then nothing is in progress, unless it came too late.
  if (reply.raw.destroyed) gone.abort()
  else reply.raw.once('close', () => gone.abort())
  let leave = () => {}
  try {
    leave = await gates.questions.enter({ key, kind, gone: gone.signal })
    return await handle(call, { ...context, reading: makeQuestionPool(reading, probes, gone.signal) })
  } catch (error) {
    // Nobody is there to be told.
    if (gone.signal.aborted) return reply.hijack()
    throw error
  } finally {
    leave()
  }
}

function tooFrequent(limit: number, headers: Record<string, string>): HttpProblem {
  const detail = `This key asks more than ${limit} questions a second: wait for Retry-After, and ask for larger pages.`
  return new HttpProblem('request/too_frequent', detail, headers)
}
