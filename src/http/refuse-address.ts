import type { FastifyRequest } from 'fastify'
import { HttpProblem, shown } from './api/problem.ts'
import type { Route } from './route.ts'

/** What can be done at an address. */
interface Address {
  readonly url: string
  readonly pattern: RegExp
  readonly methods: readonly string[]
}

/**
 * Makes what refuses a request that no route answers: a wrong method is not a wrong address. Any method counts, also one
 * that no route has.
 */
export function makeRefusal(routes: readonly Route[]): (request: FastifyRequest) => HttpProblem {
  const addresses = addressesOf(routes)
  return (request) => {
    const path = pathOf(request.url)
    const asked = addresses.filter(({ pattern }) => pattern.test(path))
    const methods = [...new Set(asked.flatMap((address) => address.methods))]
    if (methods.length === 0 || methods.includes(request.method)) return noRoute(path)
    request.refusedAt = asked[0]!.url
    const allow = methods.join(', ')
    const detail = `${request.method} cannot be used here: use ${allow}.`
    return new HttpProblem('request/method_not_allowed', detail, { allow })
  }
}

function noRoute(path: string): HttpProblem {
  const detail = `There is nothing at ${shown(path)}: see /openapi.json for what there is.`
  return new HttpProblem('request/no_route', detail)
}

/** A target may name the server, too: `http://localhost:8080/v1/bills`. */
function pathOf(target: string): string {
  return target.replace(/^[a-z]+:\/\/[^/?#]*/i, '').split('?')[0]!
}

/** Addresses without parameters come first: `/v1/price-book/diff` before `/v1/price-book/:version`. */
function addressesOf(routes: readonly Route[]): readonly Address[] {
  const methods = new Map<string, string[]>()
  for (const { method, url } of routes) {
    const own = method === 'GET' ? ['GET', 'HEAD'] : [method]
    methods.set(url, [...(methods.get(url) ?? []), ...own])
  }
  const addresses = [...methods].map(([url, own]) => ({ url, pattern: patternOf(url), methods: own }))
  return addresses.sort((a, b) => Number(a.url.includes(':')) - Number(b.url.includes(':')))
}

function patternOf(url: string): RegExp {
  const parts = url.replaceAll('.', '\\.').replace('*', '.*').replace(/:\w+/g, '[^/]*')
  return new RegExp(`^${parts}$`)
}
