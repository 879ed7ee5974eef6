import { createHash } from 'node:crypto'
import type pg from 'pg'
import { agree, countOf } from '../../core/present/readable-text.ts'
import { comparePriceLists } from '../../core/rate/price-list/compare-price-lists.ts'
import { listChangesBetween, type PriceListChange } from '../../core/rate/price-list/list-changes.ts'
import type { Hour } from '../../core/time/hour.ts'
import { insertAuditEntry } from '../../store/audit.ts'
import { updatePriceVersion } from '../../store/deployment.ts'
import { throughGate } from '../../store/gate.ts'
import { insertPendingPriceVersion } from '../../store/log-pending.ts'
import { insertPriceList } from '../../store/price-lists.ts'
import { copyPriceVersion } from '../../store/price-versions.ts'
import { run, type Sql } from '../../store/query.ts'
import { findFirstOpenHour } from '../shared/first-open-hour.ts'
import { readWatermarks } from '../shared/read-deployment.ts'
import { type ParsedPriceList, parsePriceList, type PlacedProblem } from './parse-price-book.ts'
import { byPlace } from './parse-price-book-place.ts'
import { bookOf } from './read-price-version.ts'

/** Another publication or the end of an hour between comparing and storing means comparing again. */
const COMPARISONS_MAX = 10

export interface PublishPriceList {
  readonly name: string
  /** YAML or JSON. */
  readonly source: Uint8Array
  /** The id of the key. */
  readonly actor: string
  /** Store nothing: only say what stands against it. */
  readonly dryRun: boolean
  /** The version that the text was made from; undefined: the newest, whichever that is. */
  readonly basedOn: number | undefined
}

export interface ComparedPriceList {
  readonly ok: true
  readonly outcome: 'published' | 'unchanged' | 'possible'
  /** Of the prices: book and lists share one number. */
  readonly version: number
  readonly basedOn: number
  readonly firstOpenHour: Hour
  readonly changes: readonly PriceListChange[]
  /** What it would change for hours that have begun. In a dry run only: else it is refused. */
  readonly problems: readonly PlacedProblem[]
}

export type PublishedPriceList =
  | ComparedPriceList
  | {
      readonly ok: false
      readonly code: 'price_list/invalid' | 'price_list/changes_past'
      readonly detail: string
      readonly problems: readonly PlacedProblem[]
    }
  | {
      readonly ok: false
      readonly code: 'price_book/newer_version'
      readonly detail: string
      readonly newest: number
    }

type Valid = Extract<ParsedPriceList, { readonly ok: true }>

/**
 * Publish a price list: the next version of the prices, with the same book. Nothing changes for an hour that has begun.
 * Read and compared before the gate, which is then held alone for a few rows. Can be repeated: what says the same as the
 * newest version of the list is `unchanged`.
 */
export async function publishPriceList(
  pool: pg.Pool,
  request: PublishPriceList,
): Promise<PublishedPriceList> {
  for (let comparisons = 0; comparisons < COMPARISONS_MAX; comparisons++) {
    const newest = await bookOf(pool, null)
    const parsed = parsePriceList(request.source, 'body', newest.book)
    if (!parsed.ok) return invalid(parsed.problems)
    if (parsed.value.name !== request.name) return otherName(parsed, request.name)
    const compared = await compareWithNewest(pool, parsed, request, newest)
    if (!compared.ok || request.dryRun || compared.outcome === 'unchanged') return compared
    if (await store(pool, parsed, request, compared)) return { ...compared, outcome: 'published' }
  }
  throw new Error('hours begin faster than price lists can be compared')
}

async function compareWithNewest(
  sql: Sql,
  parsed: Valid,
  { name, basedOn, dryRun }: PublishPriceList,
  { version, lists }: Awaited<ReturnType<typeof bookOf>>,
): Promise<PublishedPriceList> {
  const firstOpenHour = await findFirstOpenHour(sql, await readWatermarks(sql))
  const old = lists.get(name)
  const changes = listChangesBetween(old, parsed.value)
  const common = { ok: true, basedOn: version, firstOpenHour, changes } as const
  if (old && changes.length === 0) return { ...common, outcome: 'unchanged', version, problems: [] }
  if (basedOn !== undefined && basedOn !== version) {
    const detail = `It is based on version ${basedOn}, and the newest is ${version}: see what changed, and publish it based on ${version}.`
    return { ok: false, code: 'price_book/newer_version', detail, newest: version }
  }
  const problems = (old ? comparePriceLists(old, parsed.value, firstOpenHour) : [])
    .map((problem) => ({ ...problem, place: parsed.placeOf(problem.path) }))
    .toSorted(byPlace)
  if (problems.length > 0 && !dryRun) return changesPast(problems)
  return { ...common, outcome: 'possible', version: version + 1, problems }
}

/** False if it was compared with what no longer holds: another version was published, or an hour has begun. */
async function store(
  pool: pg.Pool,
  { canonical }: Valid,
  { name, source, actor }: PublishPriceList,
  { basedOn, version, firstOpenHour }: ComparedPriceList,
): Promise<boolean> {
  const digest = createHash('sha256').update(canonical).digest()
  const row = { version, name, list: canonical, source: new TextDecoder().decode(source), digest }
  const detail = `price list ${name} as version ${version}, based on ${basedOn}`
  return throughGate(pool, 'alone', async (client, watermarks) => {
    if (watermarks.priceVersion !== basedOn) return false
    if ((await findFirstOpenHour(client, watermarks)) !== firstOpenHour) return false
    await run(client, copyPriceVersion, { version, publishedBy: actor })
    await run(client, insertPriceList, row)
    await run(client, insertPendingPriceVersion, row)
    await run(client, updatePriceVersion, { version })
    await run(client, insertAuditEntry, { actor, act: 'price-list/publish', account: null, detail })
    return true
  })
}

function invalid(problems: readonly PlacedProblem[]): PublishedPriceList {
  const count = `${countOf(problems.length, 'problem')}${agree(problems.length, '', ', the first')}`
  const detail = `The price list has ${count} ${told(problems[0]!)}`
  return { ok: false, code: 'price_list/invalid', detail, problems }
}

function otherName(parsed: Valid, name: string): PublishedPriceList {
  const { value } = parsed
  const message = `The list is named ${value.name}, and is sent as ${name}.`
  const path = ['priceList']
  const fix = `write priceList: ${name}, or send it to /v1/price-lists/${value.name}`
  return invalid([{ path, code: 'price_list/other_name', message, fix, place: parsed.placeOf(path) }])
}

function changesPast(problems: readonly PlacedProblem[]): PublishedPriceList {
  const count = agree(problems.length, '', `, in ${countOf(problems.length, 'place')}, the first`)
  const detail = `Nothing changes for an hour that has begun, and this would${count} ${told(problems[0]!)}`
  return { ok: false, code: 'price_list/changes_past', detail, problems }
}

function told({ place, message, fix }: PlacedProblem): string {
  return `at line ${place.line}, column ${place.column}: ${message.replace(/\.$/, '')} — ${fix}.`
}
