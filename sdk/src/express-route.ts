/** What Express notes on a request, as far as it is looked at. */
export interface RoutedRequest {
  readonly method: string
  readonly originalUrl: string
  /** Undefined when the routers have been left, as after an error. */
  readonly baseUrl?: string
  readonly route?: { readonly path?: unknown }
  readonly app?: App
}

interface App {
  readonly router?: Router
  /** Where it is used in another application. */
  readonly mountpath?: unknown
  readonly parent?: App
}

interface Router {
  readonly stack?: readonly Layer[]
}

interface Layer {
  readonly route?: object | undefined
  /** A function; that of a router has a stack. */
  readonly handle?: unknown
  /** Where it was declared to be; Express 5.3 and newer. */
  readonly rawPath?: unknown
}

/** Method and template of the route that a request has reached, with those of the routers that it is in. */
export function routeOf(request: RoutedRequest): string | undefined {
  const { method, route } = request
  if (!route) return undefined
  const path = Array.isArray(route.path) ? route.path.map(String).join(',') : String(route.path)
  const template = `${mountOf(request, route)}${path}`
  return `${method} ${template.length > 1 ? template.replace(/\/$/, '') : template}`
}

/**
 * Where the routers around a route are mounted. A request has only the path that it came in by (`/users/42`), which
 * would make an operation of every user, so the template is looked for where it was declared.
 */
function mountOf({ originalUrl, baseUrl, app }: RoutedRequest, route: object): string {
  const outer = outsideOf(app)
  const mounts = mountsOf(app?.router?.stack ?? [], route).map((mount) => `${outer}${mount}`)
  return mounts.find((mount) => fits(mount, originalUrl)) ?? baseUrl ?? ''
}

function outsideOf(app: App | undefined): string {
  if (!app?.parent) return ''
  return `${outsideOf(app.parent)}${String(app.mountpath).replace(/\/$/, '')}`
}

/** All paths of routers that lead to a route: one that is used in several places has several. */
function mountsOf(stack: readonly Layer[], route: object): readonly string[] {
  return stack.flatMap((layer) => {
    if (layer.route === route) return ['']
    const inner = (layer.handle as Router | undefined)?.stack
    if (inner === undefined) return []
    const mounts = [layer.rawPath].flat().filter((path) => typeof path === 'string')
    const below = mountsOf(inner, route)
    return mounts.flatMap((mount) => below.map((rest) => `${mount.replace(/\/$/, '')}${rest}`))
  })
}

/** Does a path begin so? */
function fits(mount: string, url: string): boolean {
  const parts = url.split('?', 1)[0]!.split('/')
  return mount
    .split('/')
    .every((one, at) => one.includes(':') || one.toLowerCase() === parts[at]?.toLowerCase())
}
