import {
  isMap,
  isScalar,
  isSeq,
  type ParsedNode,
  parseDocument,
  type Scalar,
  type YAMLError,
  type YAMLMap,
} from 'yaml'
import { type Path, PROBLEMS_MAX, quote } from '../../core/rate/price-book/parse/problem.ts'
import type { Json } from '../../core/text/canonical-json.ts'
import { isExactNumber } from '../../core/text/json/exact-number.ts'
import { scanYaml, type YamlProblem } from './parse-price-book-scan.ts'

/** Where a value stands in the text: offsets in UTF-16 units. */
interface Mark {
  /** Undefined for the root and for elements of lists. */
  readonly key: number | undefined
  readonly value: number
  readonly children: Map<string | number, Mark>
}

export type PlainYaml =
  | { readonly ok: true; readonly data: Json; readonly root: Mark }
  | { readonly ok: false; readonly problems: readonly YamlProblem[] }

/** YAML 1.2 with its core schema. Keys are compared by us: the parser's way takes quadratic time. */
const OPTIONS = {
  version: '1.2',
  schema: 'core',
  strict: true,
  merge: false,
  uniqueKeys: false,
  prettyErrors: false,
  // Not `silent`: the parser would then take the first of several documents and say nothing.
  logLevel: 'error',
} as const

/**
 * Read a YAML text as plain data, such as JSON could hold: no anchors, aliases, tags, merge keys, directives
 * or second documents; each key a text, once in its mapping. JSON is YAML, so it is read too.
 */
export function readPlainYaml(text: string): PlainYaml {
  const control = text.search(/[^\P{Cc}\t\n\r]/u)
  if (control >= 0) return { ok: false, problems: [controlCharacter(control)] }
  const refused = scanYaml(text)
  if (refused.length > 0) return { ok: false, problems: refused }
  const document = parseDocument(text, OPTIONS)
  const problems = document.errors.slice(0, PROBLEMS_MAX).map(syntaxProblem)
  if (problems.length > 0) return { ok: false, problems }
  const start: Mark = { key: undefined, value: document.contents?.range[0] ?? 0, children: new Map() }
  const data = plainOf(document.contents, start, problems)
  return problems.length > 0 ? { ok: false, problems } : { ok: true, data, root: start }
}

/**
 * The offset to point at for a path of the data: that of the value, or of its key if asked and there is one.
 * If the last steps are not in the text (a missing key), the key of the mapping that lacks them.
 */
export function offsetOf(root: Mark, path: Path, part: 'key' | 'value'): number {
  let mark = root
  for (const step of path) {
    const child = mark.children.get(step)
    if (!child) return mark.key ?? mark.value
    mark = child
  }
  return part === 'key' ? (mark.key ?? mark.value) : mark.value
}

/** YAML has none, and the lexer uses some as marks of its own. */
function controlCharacter(offset: number): YamlProblem {
  const message = 'The text has a control character here.'
  return { offset, code: 'price_book/yaml_syntax', message, fix: 'remove it' }
}

const FIXES: Partial<Record<YAMLError['code'], string>> = {
  BAD_INDENT: 'align it with the lines that belong together',
  TAB_AS_INDENT: 'indent with spaces',
  MISSING_CHAR: 'write the character that is missing',
}

function syntaxProblem({ code, message, pos }: YAMLError): YamlProblem {
  if (code === 'MULTIPLE_DOCS') {
    const fix = 'write one document, without a second --- or any ...'
    return {
      offset: pos[0],
      code: 'price_book/yaml_documents',
      message: 'The text has a second document.',
      fix,
    }
  }
  const detail = message.replaceAll(/\s+/g, ' ').slice(0, 200)
  const fix = FIXES[code] ?? 'correct the YAML here'
  return { offset: pos[0], code: 'price_book/yaml_syntax', message: `This is not YAML: ${detail}.`, fix }
}

/** The data of a node. Recursion is bounded: the scan refuses deep nesting. */
function plainOf(node: ParsedNode | null, mark: Mark, problems: YamlProblem[]): Json {
  if (isMap(node)) return plainMapping(node, mark, problems)
  if (isSeq(node)) {
    return node.items.map((element, index) => {
      const child: Mark = { key: undefined, value: element.range[0], children: new Map() }
      mark.children.set(index, child)
      return plainOf(element, child, problems)
    })
  }
  if (!isScalar(node)) return null
  refuseInexact(node, problems)
  return node.value as Json
}

const DECIMAL = /^([-+]?)(\d*)(\.\d*)?([eE][-+]?\d+)?$/

/** A number that would be read as another one: of a price book nobody could say which was meant. */
function refuseInexact({ value, source, range }: Scalar.Parsed, problems: YamlProblem[]): void {
  if (typeof value !== 'number' || !Number.isFinite(value) || problems.length >= PROBLEMS_MAX) return
  // As JSON writes it: .5, 5. and +5 are numbers of YAML alone; others are octal or hexadecimal.
  const [, sign, whole = '', fraction = '.', exponent = ''] = DECIMAL.exec(source) ?? []
  const json = `${sign === '-' ? '-' : ''}${whole || '0'}${fraction === '.' ? '' : fraction}${exponent}`
  if (sign === undefined ? Number.isSafeInteger(value) : isExactNumber(json)) return
  const message = `The number ${quote(source).slice(1, -1)} is more than a 64-bit float can hold exactly.`
  const code = 'price_book/yaml_inexact_number'
  problems.push({ offset: range[0], code, message, fix: `write it in quotes: ${quote(source)}` })
}

function plainMapping(map: YAMLMap.Parsed, mark: Mark, problems: YamlProblem[]): Json {
  const entries: [string, Json][] = []
  for (const { key: keyNode, value } of map.items) {
    const key = readKey(keyNode, mark, problems)
    if (key === undefined) continue
    const keyStart = keyNode.range[0]
    const child: Mark = { key: keyStart, value: value?.range[0] ?? keyStart, children: new Map() }
    mark.children.set(key, child)
    entries.push([key, plainOf(value, child, problems)])
  }
  // Not by assignment: `__proto__` is a key like any other.
  return Object.fromEntries(entries)
}

function readKey(node: ParsedNode, { children }: Mark, problems: YamlProblem[]): string | undefined {
  const offset = node.range[0]
  const report = (problem: Omit<YamlProblem, 'offset'>): undefined => {
    if (problems.length < PROBLEMS_MAX) problems.push({ offset, ...problem })
  }
  const key = isScalar(node) ? node.value : undefined
  if (typeof key !== 'string') {
    const fix =
      isScalar(node) && node.source ? `write it in quotes: "${node.source}"` : 'write a text as the key'
    return report({ code: 'price_book/yaml_key_not_text', message: 'This key is not a text.', fix })
  }
  if (key === '<<') {
    const fix = 'write the keys out: merge keys are not allowed'
    return report({ code: 'price_book/yaml_merge_key', message: 'The text has the merge key << here.', fix })
  }
  if (!children.has(key)) return key
  const message = `The key ${quote(key)} is in its mapping twice.`
  return report({ code: 'price_book/yaml_duplicate_key', message, fix: 'remove one of the two' })
}
