import type { FastifyRequest } from 'fastify'
import { allows, type Key } from '../flows/keys/key-scopes.ts'
import { isKeyText, KEY_PREFIX } from '../flows/keys/key-text.ts'
import { HttpProblem } from './api/problem.ts'
import { admitStranger, noteFailure } from './limits/strangers.ts'
import type { Access, HttpContext } from './route.ts'

const CHALLENGE = { 'www-authenticate': 'Bearer realm="farthing"' }

/**
 * The key of a request that may use a route: at once if it is remembered, as it is for nearly all. Before the body is
 * read, so that strangers cost no memory. Throws 401 or 403. A key that is unknown, expired or revoked gets one and the
 * same answer.
 */
export function authorize(
  request: FastifyRequest,
  access: Access,
  { keys, gates, isLogPublic }: Pick<HttpContext, 'keys' | 'gates' | 'isLogPublic'>,
): Key | undefined | Promise<Key | undefined> {
  if (access === 'open' || (isLogPublic && access.openAsLog)) return undefined
  const text = readKey(request.headers.authorization, access.basic)
  let isStranger = false
  const found = keys.find(text, () => {
    refuseMalformed(text)
    admitStranger(gates.failedKeys, request.ip, keys.strangers)
    isStranger = true
  })
  if (!(found instanceof Promise)) return permit(found, access)
  return found.then((key) => {
    if (isStranger && !key) noteFailure(gates.failedKeys, request.ip)
    return permit(key, access)
  })
}

function permit(key: Key | undefined, access: Exclude<Access, 'open'>): Key {
  if (!key) {
    const detail = 'The key is not valid: it is unknown, expired or revoked. Ask for another one.'
    throw new HttpProblem('auth/unknown_key', detail, CHALLENGE)
  }
  if (access.boundKeys === 'none' && key.account !== undefined) {
    const detail = 'The key is bound to an account, and this concerns all accounts: use an unbound key.'
    throw new HttpProblem('auth/bound_key', detail)
  }
  if (access.scope !== 'any' && !allows(key, access.scope)) {
    const detail = `The key lacks the scope ${access.scope}: use one that has it.`
    throw new HttpProblem('auth/missing_scope', detail)
  }
  return key
}

function readKey(header: string | undefined, basic: true | undefined): string {
  if (header === undefined || header === '') {
    throw new HttpProblem('auth/missing_key', 'Send the header Authorization: Bearer with a key.', CHALLENGE)
  }
  const text = /^Bearer +(\S+) *$/i.exec(header)?.[1] ?? (basic && userNameOf(header))
  if (text !== undefined) return text
  const detail = 'The header Authorization has another form: send Bearer and a key.'
  throw new HttpProblem('auth/malformed_key', detail, CHALLENGE)
}

/** A text that no key can be costs no look-up. */
function refuseMalformed(text: string): void {
  if (isKeyText(text)) return
  const detail = `This is not a key: keys begin with ${KEY_PREFIX} and end with a checksum. It may be mistyped or cut off.`
  throw new HttpProblem('auth/malformed_key', detail, CHALLENGE)
}

/** The user name of HTTP Basic. */
function userNameOf(header: string): string | undefined {
  const [, encoded] = /^Basic +([A-Za-z0-9+/]+=*) *$/i.exec(header) ?? []
  return encoded && Buffer.from(encoded, 'base64').toString('latin1').split(':')[0]
}

/**
 * The account that a request may ask for: that of a bound key, and no other; with an unbound key the one it
 * names, or undefined for all.
 * @param parameter what the route calls it
 */
export function accountOf(
  key: Key | undefined,
  named: string | undefined,
  parameter = 'account',
): string | undefined {
  if (key?.account === undefined) return named
  if (named === undefined || named === key.account) return key.account
  const detail = `The key is bound to another account: leave the parameter ${parameter} out.`
  throw new HttpProblem('auth/foreign_account', detail)
}

/** May the request know of this account's things at all? If not, they are answered like unknown ones. */
export function sees(key: Key | undefined, account: string): boolean {
  return key?.account === undefined || key.account === account
}
