import Type, { type Static, type TObject, type TSchema } from 'typebox'

/** Chapters of openapi.json, in their order, and what they are about. */
export const TAGS = {
  'Usage events': 'Send usage, and see what became of it.',
  Usage: 'What was used and is stored, until now.',
  Bills: 'Hourly bills, their lines, and the events behind a line. They never change.',
  'Transparency log': 'A log of all bills that cannot be rewritten, and its signed checkpoints.',
  Exports: 'Charges and lines as files: FOCUS, CSV, Parquet.',
  Hours: 'Which hours are open, sealed or settled.',
  'Usage on no bill': 'What is held for want of a price, and what was refused.',
  Voids: 'Voiding usage.',
  Sources: 'Who sends, whether everything has arrived, and who has fallen silent.',
  'Price book': 'Versions of the price book, and publishing the next one.',
  'Price lists': 'Negotiated prices and discounts, and publishing them.',
  Imports: 'Billing past usage at once.',
  Accounts: 'Who pays: names, time zones, tags, closing.',
  Keys: 'API keys.',
  'Audit log': 'Who has done what.',
  Operation: 'Health, metrics, and this document.',
  'Other clients': 'What clients of OpenMeter, Lago and Stripe speak.',
} as const
export type Tag = keyof typeof TAGS

/**
 * What can be asked at one address of the API, and what is answered. It is declared here once: the server answers by it,
 * openapi.json describes it, and the command line takes its types from it.
 */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  /** The chapter of openapi.json that it stands in. */
  readonly tag: Tag
  /** One line for openapi.json, without a full stop. */
  readonly summary: string
  /** What it does and how it behaves, in sentences. */
  readonly description: string
  /** Statuses with which it refuses what others do not refuse. */
  readonly refusals?: readonly number[]
  readonly query?: TObject
  readonly params?: TObject
  /** Content types of the body, with their schemas. */
  readonly body?: Readonly<Record<string, TSchema>>
  /** Takes an Idempotency-Key: a repeat of the request does nothing again, and gets the same answer. */
  readonly idempotent?: true
  /** Has an ETag: a client that has the answer already gets 304. */
  readonly tagged?: true
  /** Content types of its good answer, if that is a file. */
  readonly files?: readonly string[]
  /** The answers by status; problems are added. */
  readonly answers: Readonly<Record<number, TSchema>>
}

export function endpoint<const Spec extends Endpoint>(spec: Spec): Spec {
  return spec
}

/** The values that a schema allows. */
export type ValueOf<Schema extends TSchema> = DeepReadonly<Static<Schema>>

type DeepReadonly<Value> = Value extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : Value extends object
    ? { readonly [Member in keyof Value]: DeepReadonly<Value[Member]> }
    : Value

/** What good answers of an endpoint hold. */
export type AnswerOf<Answers extends Readonly<Record<number, TSchema>>> = ValueOf<
  Answers[keyof Answers & number]
>

/** A list's answer: `next` is the cursor of the page after, null at the end. */
export function pageOf<Item extends TSchema>(item: Item) {
  return Type.Object({ items: Type.Array(item), next: Type.Union([Type.String(), Type.Null()]) })
}
