import type { FastifyReply, FastifyRequest } from 'fastify'

/** So long a client may keep what never changes without asking again: its form may get new members with a new version. */
export const UNCHANGED_SECONDS = 86_400

/** For a client alone, since a key decides who sees it; and by key, since a client may have several. */
const NEVER_CHANGES = `private, max-age=${UNCHANGED_SECONDS}, immutable`
const MAY_CHANGE = 'private, no-cache'

/** Ends the tag of what is sent packed: its bytes are others. */
const PACKED = '-gzip'

interface Exchange {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/**
 * Tags an answer that never changes, so that clients can keep it.
 * @param tag what names its content for ever: a digest
 * @returns true when the client has it already: answer 304
 */
export function hasUnchanging(exchange: Exchange, tag: string): boolean {
  return has(exchange, tag, NEVER_CHANGES)
}

/** The same for an answer that is replaced by another one some day: clients ask whether it was. */
export function hasNewest(exchange: Exchange, tag: string): boolean {
  return has(exchange, tag, MAY_CHANGE)
}

function has({ request, reply }: Exchange, tag: string, cacheControl: string): boolean {
  void reply.header('etag', `"${tag}"`).header('cache-control', cacheControl)
  void reply.header('vary', 'authorization, accept-encoding')
  const known = request.headers['if-none-match']
  if (known === undefined) return false
  return known.split(',').some((one) => one.trim() === '*' || tagOf(one) === tag)
}

/** Without what does not matter here: whether it is weak, and how the answer was packed. */
function tagOf(text: string): string | undefined {
  const [, tag] = /^(?:W\/)?"([^"]*)"$/.exec(text.trim()) ?? []
  return tag?.endsWith(PACKED) ? tag.slice(0, -PACKED.length) : tag
}

/** Runs when an answer was packed, or not: a strong tag names bytes. */
export function tagPacked(
  _: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
  done: (...args: [null, unknown]) => void,
): void {
  const tag = reply.getHeader('etag')
  if (typeof tag === 'string' && reply.getHeader('content-encoding') === 'gzip') {
    void reply.header('etag', `${tag.slice(0, -1)}${PACKED}"`)
  }
  done(null, payload)
}
