import type { IncomingMessage } from 'node:http'
import { canonicalHost, isLoopback } from '../core/text/host-name.ts'
import { HttpProblem, shown } from './api/problem.ts'

/** @returns what is wrong with the host that a request names; undefined: nothing */
export type RefuseHost = (request: IncomingMessage) => HttpProblem | undefined

/**
 * Makes what compares the host that a request is for with those that the server goes by. A page on the web can have a browser
 * ask this machine under a name of its own, which then leads to this machine (DNS rebinding): the name gives it away.
 * @param names in their canonical form, besides those of the loopback address; undefined: any host
 */
export function refuseHosts(names: readonly string[] | undefined): RefuseHost {
  const known = new Set(names)
  /** As it was sent in most requests. */
  let last: string | undefined
  const refuse = (text: string): HttpProblem | undefined => {
    if (text === last) return undefined
    const host = canonicalHost(text)
    if (host === undefined && text !== '') {
      return malformed(
        `The host ${shown(text)} is neither a name nor an address: send such as localhost:8080.`,
      )
    }
    if (names && (host === undefined || !(known.has(host) || isLoopback(host)))) return foreign(text)
    last = text
    return undefined
  }
  return ({ rawHeaders, httpVersionMinor, url = '/' }) => {
    const sent = hostsOf(rawHeaders)
    if (sent.length > 1) return malformed('There are several headers Host: send one.')
    const [host] = sent
    if (host === undefined && httpVersionMinor > 0) return malformed('There is no header Host: send it.')
    const ofTarget = /^[a-z]+:\/\/([^/?#]*)/i.exec(url)?.[1]
    return (
      (host === undefined ? undefined : refuse(host)) ??
      (ofTarget === undefined ? undefined : refuse(ofTarget))
    )
  }
}

/** All of them: Node.js keeps the first in `headers`. */
function hostsOf(rawHeaders: readonly string[]): readonly string[] {
  const hosts: string[] = []
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!
    if (name.length === 4 && name.toLowerCase() === 'host') hosts.push(rawHeaders[at + 1]!)
  }
  return hosts
}

function malformed(detail: string): HttpProblem {
  return new HttpProblem('request/malformed_http', detail)
}

function foreign(text: string): HttpProblem {
  const detail = `This server does not go by the host ${shown(text)}: ask it under one of its names, or add this one to FARTHING_HOSTS.`
  return new HttpProblem('request/foreign_host', detail)
}
