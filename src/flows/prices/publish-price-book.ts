import { agree, countOf } from '../../core/present/readable-text.ts'
import { createHash } from 'node:crypto'
import type pg from 'pg'
import { changesBetween, type PriceBookChange } from '../../core/rate/price-book/compare/changes.ts'
import type { PastChange } from '../../core/rate/price-book/compare/past-change.ts'
import { comparePriceBooks } from '../../core/rate/price-book/compare/compare-price-books.ts'
import { isIllustrative, type Rate } from '../../core/rate/price-book/price-book.ts'
import { listHasTiers } from '../../core/rate/price-list/price-list.ts'
import type { Hour } from '../../core/time/hour.ts'
import { throughGate } from '../../store/gate.ts'
import { listAcceptedTypes } from '../../store/accepted-types.ts'
import { insertAuditEntry } from '../../store/audit.ts'
import { insertPendingPriceVersion } from '../../store/log-pending.ts'
import { insertPriceVersion } from '../../store/price-versions.ts'
import { updatePriceVersion } from '../../store/deployment.ts'
import { run, type Sql } from '../../store/query.ts'
import { findFirstOpenHour } from '../shared/first-open-hour.ts'
import { findDeployment, readWatermarks } from '../shared/read-deployment.ts'
import {
  type ParsedPriceBook,
  parsePriceBook,
  type PlacedProblem,
  type PlacedRemark,
} from './parse-price-book.ts'
import { byPlace, type TextPlace } from './parse-price-book-place.ts'
import { refuseLists } from './lists-fit.ts'
import { bookOf } from './read-price-version.ts'

export interface PublishPriceBook {
  /** YAML or JSON. */
  readonly source: Uint8Array
  /** What places call the text; nothing is opened. */
  readonly file: string
  /** The id of the key. */
  readonly actor: string
  /** Store nothing: only say what would change, and what stands against it. */
  readonly dryRun: boolean
  /** The version that the text was made from; undefined: the newest, whichever that is. */
  readonly basedOn: number | undefined
}

export type PlacedPastChange = PastChange & { readonly place: TextPlace }

export interface ComparedPriceBook {
  /** `unchanged`: the newest version says the same already. `possible`: a dry run. */
  readonly outcome: 'published' | 'unchanged' | 'possible'
  /** That has or would have these rules. */
  readonly version: number
  /** With which it was compared: the newest one. */
  readonly basedOn: number
  /** Hours before it have begun. */
  readonly firstOpenHour: Hour
  readonly changes: readonly PriceBookChange[]
  /** What it would change for hours that have begun. In a dry run only: else it is refused. */
  readonly pastChanges: readonly PlacedPastChange[]
  readonly remarks: readonly PlacedRemark[]
}

export type PublishedPriceBook =
  | ({ readonly ok: true } & ComparedPriceBook)
  | {
      readonly ok: false
      readonly code: 'price_book/invalid'
      readonly detail: string
      readonly problems: readonly PlacedProblem[]
    }
  | {
      readonly ok: false
      readonly code: 'price_book/illustrative' | 'price_book/changes_past'
      readonly detail: string
      readonly problems: readonly (PlacedRemark | PlacedPastChange)[]
    }
  | {
      readonly ok: false
      readonly code: 'price_book/newer_version' | 'price/version_not_found'
      readonly detail: string
      readonly newest: number
    }

/** Times that a comparison is computed again because an hour has begun meanwhile, or usage was dated ahead. */
const COMPARISONS_MAX = 5

/**
 * Publish a price book as the next version, unless it changes anything for an hour that has begun. An hour has begun
 * when the database's clock has reached it, when it was sealed, or when usage of it was accepted already.
 *
 * Read and compared before the gate, which is then held alone for a few rows: from its commit on every event is judged
 * under the new version. Of two publishers at once one wins, and the other is told. Can be repeated: what says the same
 * as the newest version is `unchanged`.
 */
export async function publishPriceBook(
  pool: pg.Pool,
  request: PublishPriceBook,
): Promise<PublishedPriceBook> {
  const parsed = parsePriceBook(request.source, request.file)
  if (!parsed.ok) return invalid(parsed.problems)
  let { basedOn } = request
  for (let comparisons = 0; comparisons < COMPARISONS_MAX; comparisons++) {
    const acceptedTypes = new Set(await run(pool, listAcceptedTypes, undefined))
    const compared = await compareWithNewest(pool, parsed, { ...request, basedOn, acceptedTypes })
    if (!compared.ok || request.dryRun || compared.outcome === 'unchanged') return compared
    basedOn = compared.basedOn
    if (await store(pool, parsed, request, { ...compared, acceptedTypes }))
      return { ...compared, outcome: 'published' }
  }
  throw new Error('hours begin faster than price books can be compared')
}

interface AcceptedTypes {
  /** Event types of which an event was accepted. There are only ever more. */
  readonly acceptedTypes: ReadonlySet<string>
}

type Valid = Extract<ParsedPriceBook, { readonly ok: true }>

async function compareWithNewest(
  sql: Sql,
  parsed: Valid,
  { basedOn, dryRun, acceptedTypes }: Pick<PublishPriceBook, 'basedOn' | 'dryRun'> & AcceptedTypes,
): Promise<PublishedPriceBook> {
  const newest = await bookOf(sql, null)
  const { demo } = await findDeployment(sql)
  const firstOpenHour = await findFirstOpenHour(sql, await readWatermarks(sql))
  const { version } = newest
  const { remarks } = parsed
  const changes = changesBetween(newest.book, parsed.book)
  const common = { ok: true, basedOn: version, firstOpenHour, changes, remarks } as const
  if (changes.length === 0) return { ...common, outcome: 'unchanged', version, pastChanges: [] }
  if (basedOn !== undefined && basedOn !== version) return otherVersion(basedOn, version)
  if (!demo && isIllustrative(parsed.book)) return illustrative(remarks)
  const unfit = await refuseLists(sql, parsed)
  if (unfit.length > 0) return invalid(unfit)
  const lists = [...newest.lists.values()]
  const hasListTiers = (rate: Rate) => lists.some((list) => listHasTiers(list, rate))
  const pastChanges = comparePriceBooks(newest.book, parsed.book, firstOpenHour, acceptedTypes, hasListTiers)
    .map((change) => ({ ...change, place: parsed.placeOf(change.path) }))
    .toSorted(byPlace)
  if (pastChanges.length > 0 && !dryRun) return changesPast(pastChanges)
  return { ...common, outcome: 'possible', version: version + 1, pastChanges }
}

/**
 * False if it was compared with what no longer holds: another version was published, an hour has begun, or an event of a
 * type was accepted for the first time.
 */
async function store(
  pool: pg.Pool,
  { canonical }: Valid,
  { source, actor }: PublishPriceBook,
  { basedOn, version, firstOpenHour, changes, acceptedTypes }: ComparedPriceBook & AcceptedTypes,
): Promise<boolean> {
  const row = {
    version,
    publishedBy: actor,
    book: canonical,
    source: new TextDecoder().decode(source),
    digest: createHash('sha256').update(canonical).digest(),
  }
  const count = countOf(changes.length, 'change')
  const detail = `version ${version}, based on ${basedOn}: ${count}`
  return throughGate(pool, 'alone', async (client, watermarks) => {
    if (watermarks.priceVersion !== basedOn) return false
    if ((await findFirstOpenHour(client, watermarks)) !== firstOpenHour) return false
    if ((await run(client, listAcceptedTypes, undefined)).length !== acceptedTypes.size) return false
    await run(client, insertPriceVersion, row)
    await run(client, insertPendingPriceVersion, row)
    await run(client, updatePriceVersion, { version })
    await run(client, insertAuditEntry, { actor, act: 'price-book/publish', account: null, detail })
    return true
  })
}

function invalid(problems: readonly PlacedProblem[]): PublishedPriceBook {
  const count = `${countOf(problems.length, 'problem')}${agree(problems.length, '', ', the first')}`
  return {
    ok: false,
    code: 'price_book/invalid',
    detail: `The price book has ${count} ${told(problems[0]!)}`,
    problems,
  }
}

function illustrative(remarks: readonly PlacedRemark[]): PublishedPriceBook {
  const problems = remarks.filter(({ code }) => code === 'price_book/illustrative_prices')
  const { line, column } = problems[0]!.place
  const what = 'Illustrative prices are for demos, and this is none'
  const detail = `${what}: replace them and remove the watermarks, the first at line ${line}, column ${column}.`
  return { ok: false, code: 'price_book/illustrative', detail, problems }
}

function changesPast(problems: readonly PlacedPastChange[]): PublishedPriceBook {
  const count = agree(problems.length, '', `, in ${countOf(problems.length, 'place')}, the first`)
  const detail = `Nothing changes for an hour that has begun, and this would${count} ${told(problems[0]!)}`
  return { ok: false, code: 'price_book/changes_past', detail, problems }
}

/** `at line 12, column 9: what is wrong — what to write instead.` */
function told({ place, message, fix }: PlacedProblem | PlacedPastChange): string {
  return `at line ${place.line}, column ${place.column}: ${message.replace(/\.$/, '')} — ${fix}.`
}

function otherVersion(basedOn: number, newest: number): PublishedPriceBook {
  if (basedOn > newest) {
    const detail = `There is no version ${basedOn} to base it on: the newest is ${newest}.`
    return { ok: false, code: 'price/version_not_found', detail, newest }
  }
  const what = `It is based on version ${basedOn}, and version ${newest} was published meanwhile`
  const detail = `${what}: see what that changed, take it over, and publish it based on ${newest}.`
  return { ok: false, code: 'price_book/newer_version', detail, newest }
}
