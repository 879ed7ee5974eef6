import type { TSchema } from 'typebox'
import type { Api } from '../../api/api.ts'
import type { AnswerOf, ValueOf } from '../../api/endpoint.ts'

/** What can be asked: `GET /v1/bills/:id`. */
export type Asked = keyof Api

/** What a good answer holds. */
export type AnswerTo<Name extends Asked> = AnswerOf<Api[Name]['answers']>

/** Endpoints that answer page by page. */
export type Listed = { [Name in Asked]: AnswerTo<Name> extends Page ? Name : never }[Asked]

interface Page {
  readonly items: readonly unknown[]
  readonly next: string | null
}

/** The items of a list. */
export type ItemOf<Name extends Listed> = Extract<AnswerTo<Name>, Page>['items'][number]

/** What must and may be said to ask an endpoint. */
export type RequestTo<Name extends Asked> = RequestOptions &
  MemberOf<'params', ParamsOf<Api[Name]>> &
  MemberOf<'query', QueryOf<Api[Name]>> &
  MemberOf<'json', JsonOf<Api[Name]>>

export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>
  /** A body that is no JSON; its type is in the headers. */
  readonly body?: string | Uint8Array
  readonly signal?: AbortSignal | undefined
}

/** The parameters of a list, without those that turn its pages. */
export type ListRequest<Name extends Listed> = MemberOf<'params', ParamsOf<Api[Name]>> &
  MemberOf<'query', Omit<QueryOf<Api[Name]>, 'limit' | 'cursor'>>

/** Left out when the endpoint takes no such thing, optional when nothing in it is needed. */
type MemberOf<Name extends string, Value> = [keyof Value] extends [never]
  ? {}
  : {} extends Value
    ? { readonly [Member in Name]?: Value }
    : { readonly [Member in Name]: Value }

type ParamsOf<One> = One extends { readonly params: infer Params extends TSchema } ? ValueOf<Params> : {}

type QueryOf<One> = One extends { readonly query: infer Query extends TSchema }
  ? OrUndefined<ValueOf<Query>>
  : {}

type JsonOf<One> = One extends {
  readonly body: { readonly 'application/json': infer Body extends TSchema }
}
  ? OrUndefined<ValueOf<Body>>
  : {}

/** What is left out and what is undefined are the same in a request. */
type OrUndefined<Value> = Value extends readonly unknown[]
  ? Value
  : { readonly [Member in keyof Value]: Value[Member] | undefined }
