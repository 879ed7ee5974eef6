import { CST, Lexer } from 'yaml'
import { type PriceBookProblemCode, PROBLEMS_MAX, quote } from '../../core/rate/price-book/parse/problem.ts'

/** What is wrong with a YAML text, at an offset in UTF-16 units. */
export interface YamlProblem {
  readonly offset: number
  readonly code: PriceBookProblemCode
  readonly message: string
  readonly fix: string
}

/** A price book of 1,000 rates has about 100,000. Bounds the parser, which is slow on nonsense, to seconds. */
export const TOKENS_MAX = 200_000
/** Nesting on one line. A price book has 8 levels; the parser's recursion must not end the process. */
export const DEPTH_MAX = 16
/** Spaces before the first text of a line: bounds nesting over lines. */
export const INDENT_MAX = 200

const FIX_ALIAS = 'write the value out: anchors and aliases are not allowed'
const NOT_ALLOWED: Partial<Record<CST.TokenType, Pick<YamlProblem, 'code' | 'fix'>>> = {
  anchor: { code: 'price_book/yaml_alias', fix: FIX_ALIAS },
  alias: { code: 'price_book/yaml_alias', fix: FIX_ALIAS },
  tag: { code: 'price_book/yaml_tag', fix: 'remove the tag; write a text in quotes' },
  'directive-line': { code: 'price_book/yaml_directive', fix: 'remove the line: the text is YAML 1.2' },
}

/** Tokens that open a level, and that a line can repeat without a bracket: `- - - a`. */
const INDICATORS: ReadonlySet<CST.TokenType | null> = new Set([
  'seq-item-ind',
  'explicit-key-ind',
  'map-value-ind',
])

/**
 * Look at the tokens of a YAML text before it is parsed: what is not allowed (anchors, aliases, tags,
 * directives), and what would take the parser minutes or all memory (deep nesting, too many tokens).
 * Linear in the text; an alias bomb ends here, unexpanded.
 * @returns nothing if the text may be parsed; at most 100
 */
export function scanYaml(text: string): readonly YamlProblem[] {
  const problems: YamlProblem[] = []
  let [offset, tokens, brackets, indicators] = [0, 0, 0, 0]
  let [isScalar, isLineStart] = [false, true]
  for (const source of new Lexer().lex(text)) {
    const type = isScalar ? null : CST.tokenType(source)
    isScalar = type === 'scalar'
    // Watermarks of the lexer itself, which are not in the text.
    if (isScalar || type === 'doc-mode' || type === 'flow-error-end') continue
    if (++tokens > TOKENS_MAX) return [tooLarge(offset)]
    if (type === 'flow-map-start' || type === 'flow-seq-start') brackets++
    if (type === 'flow-map-end' || type === 'flow-seq-end') brackets = Math.max(0, brackets - 1)
    if (type === 'newline') indicators = 0
    if (INDICATORS.has(type) && brackets === 0) indicators++
    const isFar = isLineStart && type === 'space' && source.length > INDENT_MAX
    if (brackets > DEPTH_MAX || indicators > DEPTH_MAX || isFar) return [tooDeep(offset)]
    isLineStart = type === 'newline'
    const refused = type && NOT_ALLOWED[type]
    if (refused) problems.push({ offset, ...refused, message: `The text has ${quote(source)} here.` })
    if (problems.length === PROBLEMS_MAX) return problems
    offset += source.length
  }
  return problems
}

function tooLarge(offset: number): YamlProblem {
  const message = `The text has more than ${TOKENS_MAX} words and signs.`
  return { offset, code: 'price_book/too_large', message, fix: 'write a smaller price book' }
}

function tooDeep(offset: number): YamlProblem {
  const message = 'The text is nested too deeply here.'
  return { offset, code: 'price_book/too_deep', message, fix: 'a price book has 8 levels: remove some' }
}
