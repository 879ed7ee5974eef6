import { type Express4Path, writtenPaths } from './express-4-path.ts'

/** What Express notes on a request, as far as it is looked at. */
export interface RoutedRequest {
  readonly method: string
  /** What is left of the address for the router that has the request. */
  readonly url: string
  /** The part of the address that led to that router. */
  readonly baseUrl?: string
  readonly route?: Route | undefined
  readonly app?: App
}

interface Route {
  readonly path?: unknown
}

interface App {
  /** Express 5; Express 4 throws here. */
  readonly router?: Router
  /** Express 4. */
  readonly ['_router']?: Router
  /** Where it is used in another application. */
  readonly mountpath?: unknown
  readonly parent?: App
}

interface Router {
  /** Layers: their form is that of a version of Express, and not in its types. */
  readonly stack?: readonly unknown[]
}

interface Layer extends Partial<Express4Path> {
  readonly route?: Route | undefined
  /** A function; that of a router has a stack, that of an application a router. */
  readonly handle?: unknown
  /** Express 5 with a `router` of 2.3 or newer: where it was declared to be. */
  readonly rawPath?: unknown
  /** Express 5, and what an older one noted at the last match. */
  readonly path?: string
  readonly match?: (path: string) => boolean | { readonly path: string; readonly pattern: unknown }
}

/** Where a request was when it reached its route. */
interface Reached {
  /** The application that is metered, and the one in it whose route this is: often the same. */
  readonly home: App | undefined
  readonly app: App | undefined
  readonly baseUrl: string
  readonly path: string
}

const reached = new WeakMap<object, Reached>()

/**
 * Notes where a request is at the moment at which Express sets its route: an error leaves routers and applications
 * again, and then nothing says any more which they were.
 */
export function watchRoute(request: RoutedRequest): void {
  if (reached.has(request)) return
  let { route } = request
  const { app: home } = request
  const note = () => {
    const { app, baseUrl = '', url } = request
    reached.set(request, { home, app, baseUrl, path: url.split('?', 1)[0]! })
  }
  note()
  Object.defineProperty(request, 'route', {
    configurable: true,
    enumerable: true,
    get: () => route,
    set(value: Route | undefined) {
      route = value
      note()
    },
  })
}

/** Method and template of the route that a request has reached, with those of the routers that it is in. */
export function routeOf(request: RoutedRequest): string | undefined {
  const { method, route } = request
  const at = reached.get(request)
  return route && at && `${method} ${templateOf(at, route)}`
}

/** A mount that nobody can name: the routers of Express 5.0 to 5.2 do not keep it. */
const UNNAMED = '…'

/**
 * The path of a route as it was declared, with those of the routers around it. Never a part of the address itself
 * (`/users/42`), of which there is no end: each would be an operation.
 */
function templateOf({ home, app, baseUrl, path }: Reached, route: Route): string {
  const hosts = [...new Set([home, app])].map((host) => ({
    outer: outsideOf(host, home),
    ways: waysTo(routerOf(host)?.stack ?? [], route),
  }))
  for (const { outer, ways } of hosts) {
    // An application that is used in another one has the rest of the address from one of its slashes on.
    const starts = outer === '' ? [0] : [...baseUrl.matchAll(/\/|$/g)].map(({ index }) => index)
    for (const start of starts) {
      for (const way of ways) {
        const walked = walk(way, `${baseUrl.slice(start)}${path}`, baseUrl.length - start)
        if (walked !== undefined) return `${outer}${walked}` || '/'
      }
    }
  }
  // The address was changed on its way: all ways are known, and this is one of them.
  const host = hosts.find(({ ways }) => ways.length > 0)
  if (host === undefined) return `${UNNAMED}${textOf(route.path)}`
  return `${host.outer}${host.ways[0]!.map(declaredPath).join('')}` || '/'
}

/** Where an application is used. */
function outsideOf(app: App | undefined, home: App | undefined): string {
  if (app === undefined) return ''
  if (app.parent) return `${outsideOf(app.parent, home)}${textOf(app.mountpath)}`
  return app === topOf(home) ? '' : UNNAMED
}

function topOf(app: App | undefined): App | undefined {
  return app?.parent ? topOf(app.parent) : app
}

function routerOf(app: App | undefined): Router | undefined {
  return app && (app['_router'] ?? app.router)
}

/** All ways that lead to a route, from the outermost router on: a router that is used in several places has several. */
function waysTo(stack: readonly unknown[], route: Route): readonly (readonly Layer[])[] {
  return (stack as readonly Layer[]).flatMap((layer) => {
    if (layer.route) return layer.route === route ? [[layer]] : []
    return waysTo(stackBehind(layer), route).map((way) => [layer, ...way])
  })
}

function stackBehind({ handle }: Layer): readonly unknown[] {
  if (typeof handle !== 'function') return []
  const { stack } = handle as Router
  return stack ?? ('handle' in handle && 'set' in handle ? routerOf(handle as App)?.stack : undefined) ?? []
}

/** The paths of the layers on the way that an address has gone; undefined if it cannot have gone it. */
function walk(way: readonly Layer[], address: string, baseLength: number): string | undefined {
  let template = ''
  let at = 0
  for (const layer of way) {
    const isRoute = layer === way.at(-1)
    if (isRoute && at !== baseLength) return undefined
    const found = matched(layer, address.slice(at) || '/')
    if (found === undefined) return undefined
    template += textOf(found.path)
    at += found.length
  }
  return template
}

interface Matched {
  readonly path: unknown
  /** How much of the address it has taken. */
  readonly length: number
}

function matched(layer: Layer, address: string): Matched | undefined {
  const { route, regexp, keys = [] } = layer
  if (regexp) return matchedBy4({ regexp, keys }, route, address)
  const found = matchedBy5(layer, address)
  if (typeof found === 'object') return { path: found.pattern, length: taken(found.path) }
  if (!found) return undefined
  const length = taken(layer.path ?? '')
  return { path: route ? route.path : length === 0 ? '/' : UNNAMED, length }
}

function matchedBy4(layer: Express4Path, route: Route | undefined, address: string): Matched | undefined {
  if (layer.regexp.fast_slash) return { path: '/', length: 0 }
  if (route && !Array.isArray(route.path)) {
    return layer.regexp.test(address) ? { path: route.path, length: address.length } : undefined
  }
  for (const { path, regexp } of writtenPaths(layer)) {
    const found = regexp.exec(address)
    if (found) return { path, length: taken(found[0]) }
  }
  return undefined
}

function matchedBy5(layer: Layer, address: string): ReturnType<NonNullable<Layer['match']>> {
  try {
    return layer.match?.(address) ?? false
  } catch {
    // A parameter that cannot be decoded: the way was another one.
    return false
  }
}

/** The slash at the end of a mount is left for what is behind it. */
function taken(path: string): number {
  return path.endsWith('/') ? path.length - 1 : path.length
}

function declaredPath({ route, regexp, keys = [], rawPath }: Layer): string {
  if (route) return textOf(route.path)
  if (regexp) return textOf(writtenPaths({ regexp, keys }).map(({ path }) => path))
  return rawPath === undefined ? UNNAMED : textOf(rawPath)
}

/** Of several, all. Without a slash at the end, so that another path can follow; that of `/` is empty. */
function textOf(path: unknown): string {
  const paths = [path].flat(Infinity)
  return paths.map((one) => (one instanceof RegExp ? String(one) : String(one).replace(/\/$/, ''))).join(',')
}
