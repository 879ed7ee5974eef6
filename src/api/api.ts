import type * as accounts from './accounts.ts'
import type * as audit from './audit.ts'
import type * as bills from './bills.ts'
import type * as cycles from './cycles.ts'
import type { Endpoint } from './endpoint.ts'
import type * as events from './events.ts'
import type * as exports from './exports.ts'
import type * as imports from './imports.ts'
import type * as keys from './keys.ts'
import type * as lineEvents from './line-events.ts'
import type * as log from './log.ts'
import type * as manifests from './manifests.ts'
import type * as postEvents from './post-events.ts'
import type * as priceBook from './price-book.ts'
import type * as priceLists from './price-lists.ts'
import type * as sources from './sources.ts'
import type * as storage from './storage.ts'
import type * as unbilled from './unbilled.ts'
import type * as usage from './usage.ts'
import type * as voids from './voids.ts'

type EndpointIn<Module> = Extract<Module[keyof Module], Endpoint>

type Declared =
  | EndpointIn<typeof accounts>
  | EndpointIn<typeof audit>
  | EndpointIn<typeof bills>
  | EndpointIn<typeof cycles>
  | EndpointIn<typeof events>
  | EndpointIn<typeof exports>
  | EndpointIn<typeof imports>
  | EndpointIn<typeof keys>
  | EndpointIn<typeof lineEvents>
  | EndpointIn<typeof log>
  | EndpointIn<typeof manifests>
  | EndpointIn<typeof postEvents>
  | EndpointIn<typeof priceBook>
  | EndpointIn<typeof priceLists>
  | EndpointIn<typeof sources>
  | EndpointIn<typeof storage>
  | EndpointIn<typeof unbilled>
  | EndpointIn<typeof usage>
  | EndpointIn<typeof voids>

/** Every endpoint by its method and address: `GET /v1/bills/:id`. Types only: who asks needs no schemas. */
export type Api = { readonly [One in Declared as `${One['method']} ${One['url']}`]: One }
