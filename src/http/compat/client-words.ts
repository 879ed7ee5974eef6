import type { EventResult } from '../../flows/ingest/ingest-types.ts'

/** What a protocol calls the parts of an event. OpenMeter's events are CloudEvents, so it needs no other words. */
export interface ClientWords {
  /** By the name that a sentence of the core begins with. */
  readonly attributes: Readonly<
    Record<'id' | 'type' | 'subject' | 'time' | 'data' | 'An extension attribute', string>
  >
  /** A field of data, by its path: `tokens`, `quantities.token`. */
  readonly field: (path: string) => string
  /** Can a field have fields of its own? Without that, only the price book can say where quantities are. */
  readonly isNested: boolean
}

export const LAGO_WORDS: ClientWords = {
  attributes: {
    id: 'transaction_id',
    type: 'code',
    subject: 'external_subscription_id',
    time: 'timestamp',
    data: 'properties',
    'An extension attribute': 'precise_total_amount_cents',
  },
  field: (path) => `properties.${path}`,
  isNested: true,
}

export const STRIPE_WORDS: ClientWords = {
  attributes: {
    id: 'identifier',
    type: 'event_name',
    subject: 'payload[stripe_customer_id]',
    time: 'timestamp',
    data: 'payload',
    // It has none.
    'An extension attribute': 'payload',
  },
  field: (path) => `payload[${path}]`,
  isNested: false,
}

/** Places in the text that was sent have the client's names already. */
const JUDGED_AS_SENT: ReadonlySet<string> = new Set([
  'event/inexact_number',
  'event/repeated_key',
  'event/not_an_object',
  'event/unreadable',
])

const ATTRIBUTE = /^(id|type|subject|time|data|An extension attribute)(?: \(the account\))?(?= )/
const FIELD = /^data\.(.+?)(?= (?:is|has|contains|begins|ends) )/
const MISSING_UNIT =
  /^data\.quantities\.(\S+) is missing: (.+?) is charged by it\.(?: Or say (in .+?), which field of data has it\.)?$/

/**
 * A refusal in the words of the client: a sentence of the core begins with the place, and the client knows the place by
 * another name. Every rejection of a protocol passes through here.
 */
export function inWordsOf<Result extends Pick<EventResult, 'code' | 'detail'>>(
  words: ClientWords,
  result: Result,
): Result {
  const { code, detail } = result
  if (code === null || detail === null || JUDGED_AS_SENT.has(code)) return result
  return { ...result, detail: translated(words, code, detail) }
}

function translated({ attributes, field, isNested }: ClientWords, code: string, detail: string): string {
  if (code === 'event/conflict') {
    const { id } = attributes
    return `Another event of this account and ${id}, with other content, was accepted before: send new usage under a new ${id}.`
  }
  const [, unit, rate, where] = MISSING_UNIT.exec(detail) ?? []
  if (unit !== undefined && where !== undefined && !isNested) {
    return `${attributes.data} has no ${unit}: ${rate} is charged by it. Say ${where}, which field of it has it.`
  }
  const ofField = FIELD.exec(detail)
  if (ofField) return field(ofField[1]!) + detail.slice(ofField[0].length)
  const ofAttribute = ATTRIBUTE.exec(detail)
  if (!ofAttribute) return detail
  return attributes[ofAttribute[1] as keyof typeof attributes] + detail.slice(ofAttribute[0].length)
}
