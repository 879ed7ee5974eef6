import { tidyImports } from './tidy-imports.ts'
import { type Code, isFunction, lineAt, type Node, readCode, written } from './tidy-syntax.ts'

export const FILE_LINES_MAX = 400
export const FUNCTION_LINES_MAX = 60

interface Rule {
  readonly where: RegExp
  readonly unless?: RegExp
  readonly is: (node: Node, code: Code) => boolean
  readonly say: string
}

const TESTS = /\.test\.tsx?$/
const CORE = { where: /^src\/core\//, unless: TESTS }
const MONEY = /amount|price|quantit|waived|\btotal\b/i
const SQL =
  /^\s*(?:select\s[\s\S]*\sfrom\s|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s|with\s+\w+\s+as\s|create\s+(?:table|index)\s|(?:alter|drop|truncate)\s+table\s)/i

const RULES: readonly Rule[] = [
  {
    ...CORE,
    is: (node, code) => isMember(node, code, /^(?:Date\.now|Math\.random)$/) || isBareDate(node, code),
    say: 'the core is deterministic: take the instant or the id as an argument',
  },
  {
    ...CORE,
    is: (node, code) =>
      node['async'] === true ||
      node.type === 'AwaitExpression' ||
      (node.type === 'Identifier' && written(code, node).startsWith('Promise')),
    say: 'the core does not wait: flows/ loads, the core decides, flows/ saves',
  },
  {
    ...CORE,
    is: (node, code) => isMember(node, code, /\.(?:localeCompare|toLocale\w*)$/) || isNamed(node, 'Intl'),
    say: 'the core is the same on every machine: compare with compareBytes, format by hand',
  },
  {
    ...CORE,
    is: (node) => isNamed(node, 'parseFloat'),
    say: 'quantities and money are exact: use decimal() of core/money',
  },
  {
    where: /^src\/core\/(?!money\/)/,
    unless: TESTS,
    is: (node, code) => isMember(node, code, /\.toFixed$/),
    say: 'only core/money writes and rounds decimals: use plain() or divideRounded()',
  },
  {
    where: /^(?:src|sdk)\//,
    unless: TESTS,
    is: (node, code) =>
      (node.type === 'CallExpression' && MONEY.test(argumentOf(code, node, 'Number'))) ||
      (node.type === 'UnaryExpression' &&
        node['operator'] === '+' &&
        MONEY.test(written(code, node['argument']))),
    say: 'quantities and money never become a JavaScript number: keep the Decimal, or its text',
  },
  {
    where: /^src\/(?!store\/)/,
    unless: TESTS,
    is: (node, code) => isText(node) && SQL.test(written(code, node).slice(1)),
    say: 'only store/ contains SQL: make it a query module there',
  },
  {
    // Not embedded/: where the server keeps its files is data, too.
    where: /^src\/store\/(?!embedded\/)/,
    unless: TESTS,
    is: (node, code) => isText(node) && readsIntoData(written(code, node)),
    say: 'a statement carries the data of events whole: what it says is read and judged by the core',
  },
  {
    where: /^(?:src\/(?:core\/present|flows|api|http|cli)|sdk\/src)\//,
    unless: TESTS,
    is: (node, code) => isBareCount(node, code),
    say: 'a count may be 1: write it with countOf()',
  },
  {
    where: /./,
    is: (node, code) =>
      node.type === 'DebuggerStatement' ||
      isMember(node, code, /^(?:test|it|describe|suite)\b.*\.(?:only|skip|todo)$/),
    say: 'remove it before merging',
  },
  {
    where: /./,
    unless: TESTS,
    is: (node, code) => isFunction(node) && linesOf(code, node) > FUNCTION_LINES_MAX,
    say: `a function has at most ${FUNCTION_LINES_MAX} lines: name its parts`,
  },
]

/** Operators and functions that take JSON apart. */
const INTO_JSON =
  /->|#>|@[>?@]|\bjsonb?_(?:extract|path|each|array_elements|to_record|populate|object_keys|strip)|\bjson_(?:value|query|table|exists)\b/i
/** A column as a member of a list: `, e.data,` and the like. What else is done with it is a judgement. */
const IN_LIST = /(?:,|\bselect|\bdistinct)\s*(?:\w+\.)?(?:data|attributes)(?=\s*(?:,|\)|`|'|$|from\b))/gi

function readsIntoData(text: string): boolean {
  const rest = text.replace(IN_LIST, '')
  return INTO_JSON.test(text) || /\b(?:data|attributes)\b/i.test(rest)
}

const VAGUE = /(?:^|\/)(?:utils?|helpers?|common|misc|shared|managers?|services?|index)\.(?:tsx?|mjs|sql)$/
/** What does not belong in the project. Spelt so that the patterns do not match themselves. */
const FORBIDDEN = [
  /\b(?:cl[a]ude|anthr[o]pic|ch[a]tgpt|c[o]pilot)\b/i,
  /(?<![\w.-])\/(?:work|Users|home\/\w+)\//,
  /\bFIX[M]E\b/,
  /^(?:<{7}|>{7}|\|{7})(?= )|^={7}$/m,
]

/** Words of our own for which the field has a term, also across the lines of a comment. Spelt so that the patterns do not match themselves. */
const RETIRED: readonly { readonly words: RegExp; readonly say: string }[] = [
  {
    words:
      /\bt(?:a|oo)k(?:es?|en|ing)?[\s/*]+(?:usage[\s/*]+)?bac[k]\b|\btak(?:e|es|ing)[\s/*]+(?:it|them)[\s/*]+bac[k]\b/i,
    say: 'void, reverse or undo',
  },
  { words: /\bsigns?[\s/*]+of[\s/*]+lif[e]\b/i, say: 'heartbeat' },
  { words: /\bclock[\s/*]+doub[t]s?\b/i, say: 'clock jump' },
  { words: /\bbill[\s/*]+(?:promis[e]|watc[h])\b/i, say: 'billing SLA, SLA monitor' },
  { words: /\bcycle[\s/*]+act[s]\b/i, say: 'adjustments' },
  { words: /\bevent[\s/*]+stor(?:[y]|ies)\b/i, say: 'event timeline' },
  { words: /\bwaiting[\s/*]+lin[e]s?\b|\bwarines[s]\b/i, say: 'commit queue, lookup mode' },
  { words: /\bhistory[\s/*]+hour[s]?\b/i, say: 'backfill' },
  { words: /\bforeign[\s-](?:form|format|protocol|schema)[s]?\b/i, say: 'compat, or another system' },
  { words: /\bane[w]\b/i, say: 'again, or recompute' },
  { words: /\bwhoeve[r]\b/i, say: 'anyone who' },
  { words: /\bnothing[\s/*]+of[\s/*]+i[t]\b/i, say: 'leave it out' },
]
/** Notes of what was tried, as it was written then. */
const KEPT_AS_WRITTEN = /^docs\/performance-journal\.md$/

/**
 * What is untidy about a file: each entry says where, what, and what to do instead.
 * @param path from the root of the repository, with /
 */
export function tidy(path: string, text: string): readonly string[] {
  const problems = [...tidyName(path), ...tidyWords(path, text)]
  if (!/\.tsx?$/.test(path)) return problems
  if (text.trimEnd().split('\n').length > FILE_LINES_MAX) {
    problems.push(`${path}: is longer than ${FILE_LINES_MAX} lines: split it by idea`)
  }
  return [...problems, ...tidyCode(readCode(path, text))]
}

function tidyName(path: string): string[] {
  return VAGUE.test(path) ? [`${path}: the name says nothing: name it after its main export`] : []
}

function tidyWords(path: string, text: string): string[] {
  const forbidden = FORBIDDEN.flatMap((pattern) => {
    const found = pattern.exec(text)
    if (!found) return []
    return [`${path}:${lineAt(text, found.index)}: ${found[0]} does not belong in the project: remove it`]
  })
  if (KEPT_AS_WRITTEN.test(path)) return forbidden
  const retired = RETIRED.flatMap(({ words, say }) => {
    const found = words.exec(text)
    if (!found) return []
    return [`${path}:${lineAt(text, found.index)}: ${found[0]} is no term of the field: write ${say}`]
  })
  return [...forbidden, ...retired]
}

function tidyCode(code: Code): string[] {
  const place = (offset: number) => `${code.path}:${lineAt(code.text, offset)}`
  const imports = tidyImports(code).map(({ offset, say }) => `${place(offset)}: ${say}`)
  const rules = RULES.filter(({ where, unless }) => where.test(code.path) && !unless?.test(code.path))
  const broken = rules.flatMap(({ is, say }) =>
    code.nodes
      .filter((node) => is(node, code))
      .map((node) => `${place(node.start)}: ${firstLine(code, node)}: ${say}`),
  )
  return [...imports, ...broken]
}

function firstLine(code: Code, node: Node): string {
  return written(code, node).split('\n')[0]!.slice(0, 60)
}

/** Lines of a function, without those that it declares inside by name: they count for themselves. */
function linesOf(code: Code, node: Node): number {
  const inner = code.nodes.filter(
    ({ type, start, end }) => type === 'FunctionDeclaration' && start > node.start && end < node.end,
  )
  const outermost = inner.filter((one) => !inner.some(({ start, end }) => start < one.start && one.end < end))
  const innerLines = outermost.map((one) => written(code, one).split('\n').length)
  return innerLines.reduce((lines, some) => lines - some, written(code, node).split('\n').length)
}

function isNamed(node: Node, name: string): boolean {
  return node.type === 'Identifier' && node['name'] === name
}

function isMember(node: Node, code: Code, pattern: RegExp): boolean {
  return node.type === 'MemberExpression' && pattern.test(written(code, node))
}

/** `new Date()` and `Date()`: now. With an argument it is a calendar. */
function isBareDate(node: Node, code: Code): boolean {
  const call = node.type === 'NewExpression' || node.type === 'CallExpression'
  return call && written(code, node['callee']) === 'Date' && (node['arguments'] as unknown[]).length === 0
}

/** The first argument of a call of `name`, as written; "" for any other call. */
function argumentOf(code: Code, node: Node, name: string): string {
  return written(code, node['callee']) === name ? written(code, (node['arguments'] as unknown[])[0]) : ''
}

const COUNTED =
  /^ (?:more )?(?:events|bills|hours|rows|lines|levels|accounts|sources|problems|changes|tables|days|minutes|seconds|bytes|items|rates|prices|keys|versions|copies|remarks|places|facts|calls|duplicates|requests|were|are|have|wait)\b/
const LIMIT = /^[A-Z][A-Z0-9_]*$/

/** `${count} events` in a message. */
function isBareCount(node: Node, code: Code): boolean {
  if (node.type !== 'TemplateLiteral') return false
  const [quasis, expressions] = [node['quasis'] as Node[], node['expressions'] as Node[]]
  // What is more than a limit is more than 1.
  if (expressions.some((expression) => LIMIT.test(written(code, expression)))) return false
  return expressions.some((expression, at) => {
    const text = (quasis[at + 1]!['value'] as { readonly raw: string }).raw
    return COUNTED.test(text) && isCount(written(code, expression))
  })
}

/** Words that say how many, by their names: not `countOf(…)` itself, names or lists of names. */
function isCount(expression: string): boolean {
  if (/^(?:countOf|shown|safeText|JSON)\b/.test(expression)) return false
  return /count|length|size|number|readableNumber|voided|damaged|queueEvents|rows|\b(?:events|bills|hours|lines|all|done|rest)\b/i.test(
    expression,
  )
}

function isText(node: Node): boolean {
  return node.type === 'TemplateLiteral' || (node.type === 'Literal' && typeof node['value'] === 'string')
}
