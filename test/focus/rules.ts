import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Cell, CHECKS, type Check, type Dataset } from './checks.ts'

// Runs the rules of the FinOps Foundation's model over rows. Written from the model alone: it knows nothing of how Farthing
// makes a row.

interface Rule {
  readonly Function: string
  readonly Reference: string
  readonly ApplicabilityCriteria: readonly string[]
  readonly Type: 'Static' | 'Dynamic'
  readonly ValidationCriteria: {
    readonly Keyword: string
    readonly MustSatisfy: string
    readonly Requirement: Check | {}
    readonly Condition: Check | {}
  }
}

const MODEL = JSON.parse(
  readFileSync(join(import.meta.dirname, '../facts/focus-model-1.2.json'), 'utf8'),
) as { readonly ModelRules: Readonly<Record<string, Rule>> }

export const RULES: Readonly<Record<string, Rule>> = MODEL.ModelRules

/** Rules that contradict the text that they stand for, and why. */
export const WRONG_AS_WRITTEN: Readonly<Record<string, string>> = {
  'InvoiceId-C-004-C': 'its text says "null when the charge is not on an invoice"; the condition is missing',
}

/** `failed`: a rule that must hold does not. `advice`: one that should. `never`: no row, or no program, could apply it. */
export interface Report {
  readonly passed: readonly string[]
  readonly failed: readonly string[]
  readonly advice: readonly string[]
  readonly never: readonly { readonly id: string; readonly why: string }[]
}

/**
 * @param supported criteria of the model that the provider meets; rules of others do not apply
 */
export function runRules(data: Dataset, supported: ReadonlySet<string>): Report {
  const report = {
    passed: [] as string[],
    failed: [] as string[],
    advice: [] as string[],
    never: [] as { id: string; why: string }[],
  }
  const parents = parentsOf()
  for (const [id, rule] of Object.entries(RULES)) {
    const why = notRun(id, rule, supported, parents)
    if (why !== undefined) {
      report.never.push({ id, why })
      continue
    }
    const { Requirement, Keyword } = rule.ValidationCriteria
    const conditions = [id, ...ancestors(id, parents)].map(
      (each) => RULES[each]!.ValidationCriteria.Condition,
    )
    const rows = data.rows.filter((row) =>
      conditions.every((condition) => holds(condition, row, data) !== false),
    )
    const results = CHECKS[(Requirement as Check).CheckFunction]!.ofDataset
      ? [holds(Requirement, undefined, data)]
      : rows.map((row) => holds(Requirement, row, data))
    if (!results.some((result) => result !== undefined))
      report.never.push({ id, why: 'no row meets its condition' })
    else if (!results.includes(false)) report.passed.push(id)
    else (Keyword.startsWith('MUST') ? report.failed : report.advice).push(id)
  }
  return report
}

function notRun(
  id: string,
  rule: Rule,
  supported: ReadonlySet<string>,
  parents: ReadonlyMap<string, readonly string[]>,
): string | undefined {
  const missing = [id, ...ancestors(id, parents)]
    .flatMap((each) => RULES[each]!.ApplicabilityCriteria)
    .find((criterion) => !supported.has(criterion))
  if (missing !== undefined) return `not applicable: ${missing}`
  if (id in WRONG_AS_WRITTEN) return `wrong as written: ${WRONG_AS_WRITTEN[id]}`
  if (rule.Function === 'Composite') return 'stands for others'
  if (rule.Type === 'Dynamic' || !('CheckFunction' in rule.ValidationCriteria.Requirement))
    return 'for people to check'
  if (rule.ValidationCriteria.Keyword === 'MAY') return 'only allows'
  return undefined
}

/** The rules that stand for a rule: a condition of theirs holds for it, too. */
function parentsOf(): ReadonlyMap<string, readonly string[]> {
  const parents = new Map<string, string[]>()
  const note = (parent: string, check: Check | {}): void => {
    if (!('CheckFunction' in check)) return
    if (check.CheckFunction === 'CheckModelRule') {
      const child = check['ModelRuleId'] as string
      parents.set(child, [...(parents.get(child) ?? []), parent])
    }
    for (const item of (check['Items'] as readonly Check[] | undefined) ?? []) note(parent, item)
  }
  for (const [id, { ValidationCriteria }] of Object.entries(RULES)) note(id, ValidationCriteria.Requirement)
  return parents
}

/** Of columns alone: the format of a column does not depend on who refers to it. */
function ancestors(id: string, parents: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const direct = (parents.get(id) ?? []).filter((parent) => RULES[parent]!.Reference === RULES[id]!.Reference)
  return direct.flatMap((parent) => [parent, ...ancestors(parent, parents)])
}

/** Undefined: the check says nothing of this row. */
function holds(
  check: Check | {},
  row: Readonly<Record<string, Cell>> | undefined,
  data: Dataset,
): boolean | undefined {
  if (!('CheckFunction' in check)) return undefined
  const { CheckFunction } = check
  if (CheckFunction === 'AND' || CheckFunction === 'OR') {
    const parts = (check['Items'] as readonly Check[]).map((item) => holds(item, row, data))
    if (CheckFunction === 'OR') return parts.includes(true)
    return !parts.includes(false)
  }
  if (CheckFunction === 'CheckModelRule') return undefined
  return CHECKS[CheckFunction]!.run(check, row ?? {}, data)
}
