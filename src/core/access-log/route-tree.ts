/** `GET /v1/photos/{project}/faces`, read. */
export interface RouteTemplate {
  /** `ANY` stands for every method. */
  readonly method: string
  readonly segments: readonly Segment[]
}

export type Segment =
  | { readonly literal: string }
  | { readonly parameter: string }
  /** `**` at the end: anything, also nothing. */
  | 'rest'

interface Found<Route> {
  readonly route: Route
  readonly parameters: ReadonlyMap<string, string>
}

interface Leaf<Route> {
  readonly route: Route
  readonly names: readonly string[]
}

interface Node<Route> {
  readonly literals: Map<string, Node<Route>>
  parameter: Node<Route> | undefined
  readonly ends: Map<string, Leaf<Route>>
  readonly rests: Map<string, Leaf<Route>>
}

const TEMPLATE = /^([A-Z]+) (\/.*)$/
const PARAMETER = /^\{([A-Za-z_][A-Za-z0-9_]*)\}$/

/** @returns what is wrong with it, as a fix, when it is no template */
export function readTemplate(text: string): RouteTemplate | string {
  const match = TEMPLATE.exec(text)
  if (!match) return 'write a method, a space and a path, such as GET /v1/photos/{project}; ANY is any method'
  const parts = match[2]!.split('/').filter((part) => part !== '')
  const segments: Segment[] = []
  const names = new Set<string>()
  for (const [at, part] of parts.entries()) {
    const name = PARAMETER.exec(part)?.[1]
    if (part === '**' && at === parts.length - 1) segments.push('rest')
    else if (name !== undefined) {
      if (names.has(name)) return `name each parameter once: {${name}} is there twice`
      names.add(name)
      segments.push({ parameter: name })
    } else if (/[{}*?#%]/.test(part)) {
      return 'write each part of the path as plain text (decoded, without a query), as {name}, or ** at the end'
    } else segments.push({ literal: part })
  }
  return { method: match[1]!, segments }
}

/**
 * Finds the template of a request. The order in which templates were added does not matter: at each part of the
 * path a literal goes before a parameter, and that before `**`; then a method goes before ANY.
 */
export class RouteTree<Route> {
  readonly #root: Node<Route> = emptyNode()

  /** @returns false when another template stands for exactly the same requests */
  add({ method, segments }: RouteTemplate, route: Route): boolean {
    const names: string[] = []
    let node = this.#root
    let ends = node.ends
    for (const segment of segments) {
      if (segment === 'rest') {
        ends = node.rests
        break
      }
      if ('parameter' in segment) {
        names.push(segment.parameter)
        node = node.parameter ??= emptyNode()
      } else {
        const child = node.literals.get(segment.literal) ?? emptyNode<Route>()
        node.literals.set(segment.literal, child)
        node = child
      }
      ends = node.ends
    }
    if (ends.has(method)) return false
    ends.set(method, { route, names })
    return true
  }

  find(method: string, segments: readonly string[]): Found<Route> | undefined {
    const values: string[] = []
    const leaf = search(this.#root, { method, segments, values }, 0)
    if (!leaf) return undefined
    return { route: leaf.route, parameters: new Map(leaf.names.map((name, at) => [name, values[at]!])) }
  }
}

interface Search {
  readonly method: string
  readonly segments: readonly string[]
  /** Of the parameters on the way to the node. */
  readonly values: string[]
}

/** No deeper than the longest template, and through no node twice. */
function search<Route>(node: Node<Route>, asked: Search, depth: number): Leaf<Route> | undefined {
  const segment = asked.segments[depth]
  if (segment === undefined) {
    const end = ofMethod(node.ends, asked.method)
    if (end) return end
  } else {
    const literal = node.literals.get(segment)
    const byLiteral = literal && search(literal, asked, depth + 1)
    if (byLiteral) return byLiteral
    asked.values.push(segment)
    const byParameter = node.parameter && search(node.parameter, asked, depth + 1)
    if (byParameter) return byParameter
    asked.values.pop()
  }
  return ofMethod(node.rests, asked.method)
}

function ofMethod<Route>(leaves: Map<string, Leaf<Route>>, method: string): Leaf<Route> | undefined {
  return leaves.get(method) ?? leaves.get('ANY')
}

function emptyNode<Route>(): Node<Route> {
  return { literals: new Map(), parameter: undefined, ends: new Map(), rests: new Map() }
}
