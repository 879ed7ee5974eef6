import { agree, countOf, readableNumber, safeText } from './readable-text.ts'
import type { TextLine } from './text-table.ts'
import type { VoidSummary } from './void-summary.ts'

export interface ShownSummary extends VoidSummary {
  readonly account: string
  readonly dryRun: boolean
  readonly events: number
  readonly alreadyVoided: number
  readonly currency: string
}

/** What taking events back comes to, or would, for people: counts, then money. */
export function voidSummaryLines(summary: ShownSummary): readonly TextLine[] {
  const { account, dryRun, events, voided, alreadyVoided, held, duplicates, levels, currency } = summary
  if (events === 0) return [{ role: 'plain', text: `No usage of ${safeText(account)} is meant.` }]
  const done = dryRun ? 'would be voided' : 'voided'
  const notes = [
    [
      alreadyVoided,
      'was voided before: nothing changes for it',
      'were voided before: nothing changes for them',
    ],
    [held, 'had no price, and was on no bill', 'had no price, and were on no bill'],
    [
      duplicates,
      'was on no bill, because another event of the same identity is',
      'were on no bill, because other events of the same identities are',
    ],
    [
      levels,
      'is a level of stored data: the storage of its hours is computed again',
      'are levels of stored data: the storage of their hours is computed again',
    ],
  ] as const
  return [
    {
      role: 'title',
      text: `${countOf(events, 'event')} of ${safeText(account)}: ${number(voided)} ${done}`,
    },
    ...notes
      .filter(([count]) => count > 0)
      .map(([count, one, many]) => plainLine(`  ${number(count)} ${agree(count, one, many)}`)),
    plainLine(`Given back    ${money(summary.givenBack)} ${currency}, in the open hour`),
    plainLine(`Never billed  ${money(summary.notBilled)} ${currency}`),
    ...(levels > 0 ? [plainLine(`Stored data   ${storageText(summary)}`)] : []),
  ]
}

/** Of the open hours nothing can be said yet. */
function storageText({ storage, currency }: ShownSummary): string {
  if (storage === null) return 'in neither sum: what it comes to is on the next bill'
  const isMore = storage !== '0' && !storage.startsWith('-')
  const how = isMore ? 'more is charged' : 'given back too'
  return `${money(storage)} ${currency} ${how}, for the hours that are settled`
}

function number(count: number): string {
  return readableNumber(String(count))
}

/** Without the sign: the words say it. */
function money(text: string): string {
  return readableNumber(text.replace(/^-/, ''))
}

function plainLine(text: string): TextLine {
  return { role: 'plain', text }
}
