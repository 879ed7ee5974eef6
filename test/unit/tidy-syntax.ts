import { parseAst } from 'vitest/node'

/** A node of the syntax tree (ESTree, with TypeScript's additions). */
export interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [member: string]: unknown
}

/** A source file, parsed: rules look at its syntax, so that comments and texts cannot set them off. */
export interface Code {
  readonly path: string
  readonly text: string
  readonly nodes: readonly Node[]
}

export function readCode(path: string, text: string): Code {
  const lang = path.endsWith('x') ? 'tsx' : 'ts'
  return { path, text, nodes: [...nodesBelow(parseAst(text, { lang }))] }
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

/** The node and all below it. */
function* nodesBelow(value: unknown): Generator<Node> {
  if (Array.isArray(value)) for (const item of value) yield* nodesBelow(item)
  if (!isNode(value)) return
  yield value
  for (const inner of Object.values(value)) if (typeof inner === 'object') yield* nodesBelow(inner)
}

/** The line on which an offset lies, from 1. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}

/** What a node says, as it was written: `Date.now`. */
export function written(code: Code, node: unknown): string {
  return isNode(node) ? code.text.slice(node.start, node.end) : ''
}

const IMPORTING = new Set([
  'ImportDeclaration',
  'ImportExpression',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
  'TSImportType',
])

/** Everything that the file imports or exports from elsewhere: `./bill.ts`, `node:fs`, `pg`. */
export function importsOf({ nodes }: Code): readonly { readonly from: string; readonly node: Node }[] {
  return nodes.flatMap((node) => {
    if (!IMPORTING.has(node.type) || !isNode(node['source'])) return []
    const from = node['source']['value']
    return typeof from === 'string' ? [{ from, node }] : []
  })
}

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'])

export function isFunction(node: Node): boolean {
  return FUNCTIONS.has(node.type)
}
