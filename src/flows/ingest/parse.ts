import { accept } from '../../core/ingest/accept.ts'
import { bucketOf } from '../../core/ingest/bucket.ts'
import { CONFLICT_CODE, CONFLICT_DETAIL } from '../../core/ingest/conflict.ts'
import { endOfSeries } from '../../core/ingest/ended-level.ts'
import type { UsageEvent } from '../../core/ingest/event.ts'
import { isObject } from '../../core/ingest/read-usage.ts'
import { isRejection, type Rejection } from '../../core/ingest/rejection.ts'
import { type EventType, isBuiltIn } from '../../core/ingest/usage.ts'
import { assess, type Assessment } from '../../core/rate/rating/assess.ts'
import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import type { Json } from '../../core/text/canonical-json.ts'
import { formatInstant, type Instant } from '../../core/time/instant.ts'
import { checksumOf, type StoredEvent } from '../../store/events-table.ts'
import type { RefusedEvent } from '../../store/refusals.ts'
import type { EventKey } from '../../store/key-columns.ts'
import type { AccountRules } from '../accounts/account-rules.ts'
import { sha256 } from '../shared/sha256.ts'
import { refuseTooOld, type SentBy } from './backfill-reach.ts'
import type { Delivered } from './ingest-types.ts'

/** Kept of a refused event, in characters: enough to see what was wrong. */
export const REFUSED_BODY_CHARACTERS_MAX = 4_096
const REFUSED_FIELD_CHARACTERS_MAX = 256

/** Which events a key may send, when they came, and by which import. */
export interface DeliveryContext extends SentBy {
  /** Whose usage is taken, and until when; undefined: everybody's, for ever. */
  readonly accounts?: AccountRules
  /** How far back new usage may be, unless an import of a key of all accounts sends it; undefined: as far as it likes. */
  readonly backfillReachMs?: number | undefined
}

/** A valid event on its way into the database. */
export interface Candidate extends StoredEvent {
  /** The import that sends it; '' for any other sender. */
  readonly writer: string
  /** By the newest price book. Never `rejected`: such events are refused before. */
  readonly assessment: Assessment
}

/** A valid event, and what has to be stored with it. */
export interface ParsedEvent extends Candidate {
  /** For a level of a closed account: the level of 0 bytes at its closing, which ends the series. */
  readonly ending?: Candidate
}

/** What identifies a refused event, and what it says. */
export type RefusedCandidate = EventKey & Pick<UsageEvent, 'type' | 'at' | 'data' | 'untimed'>

/** What is kept of a refused event. */
export interface ParsedRefusal extends RefusedEvent {
  /** What it would be if it were not refused for its contents, its account or its price: it may be stored already. */
  readonly event?: RefusedCandidate
  /** Only what is not stored yet is refused: a repeat is judged like any other. */
  readonly isOnlyIfNew?: true
}

/** One element of a delivery, parsed. */
export type Parsed = ParsedEvent | ParsedRefusal

/** Parse one element of a delivery under a price book: a candidate, or the refusal that is kept of it. */
export function parseDelivered(book: PriceBook, delivered: Delivered, context: DeliveryContext): Parsed {
  const { receivedAt, boundAccount, accounts } = context
  if ('unreadable' in delivered) {
    return refused(delivered.unreadable, delivered.named ?? null, delivered.text, boundAccount)
  }
  const refuse = (rejection: Rejection, event?: UsageEvent): ParsedRefusal => {
    const { raw } = delivered
    const refusal = refused(rejection, raw, JSON.stringify(raw), boundAccount)
    if (event === undefined) return refusal
    const plain = { ...event, bucket: bucketOf(event.account) }
    return { ...refusal, event: delivered.untimed ? { ...plain, untimed: true } : plain }
  }
  const raw = delivered.untimed ? timed(delivered.raw, receivedAt) : delivered.raw
  const event = accept(raw, { receivedAt, boundAccount, eventTypes: book.eventTypes })
  if (isRejection(event)) return refuse(event, ofUnknownType(raw, context))
  const untaken = accounts?.refuse(event)
  if (untaken) return refuse(untaken, event)
  const assessment = assess(book, event)
  if (assessment.outcome === 'rejected') return refuse(assessment.rejection, event)
  const tooOld = refuseTooOld(event.at, context, context.backfillReachMs)
  if (tooOld) return { ...refuse(tooOld, event), isOnlyIfNew: true }
  const plain = candidateOf(event, assessment, context)
  const candidate: Candidate = delivered.untimed ? { ...plain, untimed: true } : plain
  const closedAt = accounts?.closedAt(event.account)
  if (closedAt === undefined || event.usage?.component !== 'storage') return candidate
  const { account } = event
  const { project, dataset, region } = event.usage
  const end = { account, project, dataset, region, at: closedAt, over: undefined }
  return { ...candidate, ending: ownCandidate(book, endOfSeries(end, sha256), senderOf(context)) }
}

const NO_TYPES: ReadonlyMap<string, EventType> = new Map()

/** The event as it was taken while its type was unknown; undefined: it never could be. Every price book knows ours. */
function ofUnknownType(raw: Json, { receivedAt, boundAccount }: DeliveryContext): UsageEvent | undefined {
  if (!isObject(raw) || typeof raw['type'] !== 'string' || isBuiltIn(raw['type'])) return undefined
  const event = accept(raw, { receivedAt, boundAccount, eventTypes: NO_TYPES })
  return isRejection(event) ? undefined : event
}

/** What came without a time happened when it was received. */
function timed(raw: Json, receivedAt: Instant): Json {
  return isObject(raw) ? { ...raw, time: formatInstant(receivedAt) } : raw
}

function senderOf({ receivedAt, writer }: DeliveryContext): Pick<Candidate, 'receivedAt' | 'writer'> {
  return { receivedAt, writer }
}

/** An event that Farthing itself makes, of a type that every price book knows. */
export function ownCandidate(
  book: PriceBook,
  event: UsageEvent,
  sender: Pick<Candidate, 'receivedAt' | 'writer'>,
): Candidate {
  return candidateOf(event, assess(book, event), sender)
}

/** Field by field: a spread costs as much as everything else that is done with an event here. */
function candidateOf(
  event: UsageEvent,
  assessment: Assessment,
  { receivedAt, writer }: Pick<Candidate, 'receivedAt' | 'writer'>,
): Candidate {
  const { account, source, id, type, at, hour, data, attributes, usage } = event
  const bucket = bucketOf(account)
  const checksum = checksumOf(event)
  return {
    account,
    source,
    id,
    type,
    at,
    hour,
    data,
    attributes,
    usage,
    bucket,
    checksum,
    receivedAt,
    writer,
    assessment,
  }
}

/** A candidate that something stored tells against: a repeat of what is stored is judged as such. */
export function refuseCandidate(delivered: Delivered, event: Candidate, rejection: Rejection): ParsedRefusal {
  const named = 'raw' in delivered ? delivered.raw : null
  const refusal = refused(rejection, named, JSON.stringify(named), event.account)
  return { ...refusal, event, isOnlyIfNew: true }
}

/** The account that an element names, as far as it can be read. */
export function accountNamed(delivered: Delivered): string | undefined {
  if ('unreadable' in delivered || !isObject(delivered.raw)) return undefined
  const { subject } = delivered.raw
  return typeof subject === 'string' ? subject : undefined
}

export function isRefused<Read extends Candidate | RefusedEvent>(
  read: Read,
): read is Exclude<Read, Candidate> {
  return 'outcome' in read
}

/** What is kept of an event whose identity is taken by another content. */
export function refusedConflict(event: RefusedCandidate): RefusedEvent {
  const { account, source, id, type, at, data } = event
  const body = storable(
    JSON.stringify({ type, time: new Date(at).toISOString(), data: JSON.parse(data) as Json }),
  )
  return { outcome: 'conflict', account, source, id, code: CONFLICT_CODE, detail: CONFLICT_DETAIL, body }
}

/**
 * What is kept of a rejected event: as one of the account of the key that sent it, if the key has one.
 * @param named the event, or what could be read of it
 * @param text the event as it was sent
 */
function refused(
  { code, detail }: Rejection,
  named: Json,
  text: string,
  boundAccount: string | undefined,
): RefusedEvent {
  const fields = isObject(named) ? named : {}
  return {
    outcome: 'rejected',
    account: boundAccount ?? field(fields['subject']),
    source: field(fields['source']),
    id: field(fields['id']),
    code,
    detail: storable(detail),
    body: storable(text),
  }
}

function field(value: Json | undefined): string | null {
  return typeof value === 'string'
    ? storable(value).slice(0, REFUSED_FIELD_CHARACTERS_MAX).toWellFormed()
    : null
}

/** Cut to what is kept, with U+0000 and unpaired surrogates shown as U+FFFD: PostgreSQL can store it. */
function storable(text: string): string {
  return text.slice(0, REFUSED_BODY_CHARACTERS_MAX).replaceAll('\u0000', '\ufffd').toWellFormed()
}
