import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** Characters of an id that a client gives its request: longer than any UUID or trace. */
export const REQUEST_ID_LENGTH_MAX = 128
export const REQUEST_ID_HEADER = 'x-request-id'

/** What can be copied from a log, searched for, and put into a header again. */
const SANE = new RegExp(`^[A-Za-z0-9._:/+=@-]{1,${REQUEST_ID_LENGTH_MAX}}$`)

/**
 * Makes what names requests in answers and in the log: the id that the client sent, if it can be one; else one of 12
 * hexadecimal digits, a random part of the server's own and a number.
 * @returns called without a request, the name of one that could not be read
 */
export function makeRequestIds(): (request?: IncomingMessage) => string {
  const own = randomBytes(2).toString('hex')
  let number = 0
  return (request) => {
    const sent = request?.headers[REQUEST_ID_HEADER]
    // One that is there twice comes as one text with a comma.
    if (typeof sent === 'string' && SANE.test(sent)) return sent
    return own + (number++ % 0x1_0000_0000).toString(16).padStart(8, '0')
  }
}
