import Type, { type Static, type TObject, type TSchema } from 'typebox'

/**
 * What can be asked at one address of the API, and what is answered. It is declared here once: the server answers by it,
 * openapi.json describes it, and the command line takes its types from it.
 */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  /** One sentence for openapi.json. */
  readonly summary: string
  readonly query?: TObject
  readonly params?: TObject
  /** Content types of the body, with their schemas. */
  readonly body?: Readonly<Record<string, TSchema>>
  /** Takes an Idempotency-Key: a repeat of the request does nothing again, and gets the same answer. */
  readonly idempotent?: true
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
