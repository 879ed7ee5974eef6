import { decimal, type Decimal, isZero, negated, plain, plus, ZERO } from '../money/decimal.ts'
import { LINES_TABLE } from './lines-table.ts'
import type { ExportRow } from './table.ts'

export const JOURNAL_FORMATS = ['hledger', 'beancount'] as const
export type JournalFormat = (typeof JOURNAL_FORMATS)[number]

/** Whose books: of the one who is paid, or of the one who pays. */
export const JOURNAL_SIDES = ['seller', 'buyer'] as const
export type JournalSide = (typeof JOURNAL_SIDES)[number]

export interface JournalStyle {
  readonly format: JournalFormat
  readonly side: JournalSide
}

/** What a journal has to remember between rows. */
export interface JournalState {
  /** Accounts and currencies that were declared. */
  readonly declared: ReadonlySet<string>
  readonly pending: PendingBill | undefined
}

/** The bill whose lines are being read: its sums by account of income or expense. */
interface PendingBill {
  readonly id: string
  readonly day: string
  readonly account: string
  readonly currency: string
  readonly digest: string
  readonly sums: Map<string, string>
}

export const NEW_JOURNAL: JournalState = { declared: new Set(), pending: undefined }

/** Decimal places of a currency in a journal: those of an amount. */
const PLACES = '0'.repeat(18)
/** Beancount adds with 28 digits. */
const SAFE_DIGITS = 26

const HEAD: Readonly<Record<JournalFormat, string>> = {
  hledger: '; One transaction for each hourly bill, made by Farthing.\ndecimal-mark .\n',
  beancount: ';; One transaction for each hourly bill, made by Farthing.\noption "title" "Farthing"\n',
}

/** How a journal begins. */
export function journalHead({ format }: JournalStyle): string {
  return HEAD[format]
}

/** The transactions that some rows of lines complete: those of all bills but the last one. */
export function journalText(
  style: JournalStyle,
  before: JournalState,
  rows: readonly ExportRow[],
): { readonly text: string; readonly state: JournalState } {
  const declared = new Set(before.declared)
  let pending = before.pending && { ...before.pending, sums: new Map(before.pending.sums) }
  const text: string[] = []
  for (const row of rows) {
    const line = readLine(row)
    if (pending && pending.id !== line.id) {
      text.push(transaction(style, pending, declared))
      pending = undefined
    }
    pending ??= { ...line, sums: new Map() }
    const name = nameOf(line)
    pending.sums.set(name, plain(plus(decimal(pending.sums.get(name) ?? '0'), decimal(line.amount))))
  }
  return { text: text.join(''), state: { declared, pending } }
}

/** The last transaction. */
export function journalEnd(style: JournalStyle, { declared, pending }: JournalState): string {
  return pending ? transaction(style, pending, new Set(declared)) : ''
}

const AT = new Map(LINES_TABLE.columns.map(({ name }, index) => [name, index]))

function readLine(row: ExportRow) {
  const at = (name: string) => row[AT.get(name)!] ?? null
  return {
    id: at('billId')!,
    day: at('bookingDay')!,
    account: at('account')!,
    currency: at('currency')!,
    digest: at('billDigest')!,
    component: at('component')!,
    item: at('item')!,
    project: at('project'),
    amount: at('amount')!,
  }
}

/** `Request:I-StandardQueryL0:P-photos`. */
function nameOf({ component, item, project }: ReturnType<typeof readLine>): string {
  const part = component.slice(0, 1).toUpperCase() + component.slice(1)
  const names = [part, `I-${safe(item)}`, project === null ? [] : `P-${safe(project)}`]
  return names.flat().join(':')
}

/**
 * A name of a user as both programs take names: letters and digits of ASCII stay, every other byte is `-` and two hexadecimal
 * digits. So no name can end a name, begin a comment or a date, and two names are never one.
 */
export function safe(name: string): string {
  return encodeURIComponent(name).replace(
    /%([0-9A-F]{2})|[^A-Za-z0-9%]/g,
    (character, hex: string | undefined) =>
      `-${hex ?? character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
}

/** A bill as a transaction whose postings come to zero exactly; nothing if no amount is but zero. */
function transaction(style: JournalStyle, bill: PendingBill, declared: Set<string>): string {
  const [owed, earned] =
    style.side === 'seller' ? ['Assets:Receivable', 'Income'] : ['Liabilities:Payable', 'Expenses']
  const owing = `${owed}:A-${safe(bill.account)}`
  const sign = style.side === 'seller' ? negated : (value: Decimal) => value
  const parts = [...bill.sums]
    .map(([name, sum]) => ({ name: `${earned}:${name}`, value: sign(decimal(sum)) }))
    .filter(({ value }) => !isZero(value))
  if (parts.length === 0) return ''
  const total = parts.reduce((sum, { value }) => plus(sum, value), ZERO)
  const isLong =
    plain(total).replace(/\D/g, '').length > SAFE_DIGITS ||
    parts.some(({ value }) => plain(value).length > SAFE_DIGITS)
  // In pairs, no sum on the way has more digits than an amount.
  const postings = isLong
    ? parts.flatMap((part) => [{ name: owing, value: negated(part.value) }, part])
    : [...(isZero(total) ? [] : [{ name: owing, value: negated(total) }]), ...parts]
  const names = [...new Set(postings.map(({ name }) => name))]
  const opening = declare(style, bill, names, declared)
  const lines = postings.map(({ name, value }) => `  ${name}  ${plain(value)} ${bill.currency}\n`)
  return `${opening}\n${heading(style, bill)}${lines.join('')}`
}

function heading({ format }: JournalStyle, { day, id, digest }: PendingBill): string {
  if (format === 'hledger') return `${day} ${id}  ; digest: ${digest}\n`
  return `${day} * "${id}"\n  digest: "${digest}"\n`
}

/** What is named for the first time is declared first. */
function declare(
  { format }: JournalStyle,
  { currency }: PendingBill,
  names: readonly string[],
  declared: Set<string>,
): string {
  const fresh = names.filter((name) => !declared.has(name))
  const isNewCurrency = !declared.has(currency)
  for (const name of [...fresh, currency]) declared.add(name)
  if (format === 'beancount') return fresh.map((name) => `1970-01-01 open ${name}\n`).join('')
  const unit = isNewCurrency ? `commodity 1000.${PLACES} ${currency}\n` : ''
  return unit + fresh.map((name) => `account ${name}\n`).join('')
}
