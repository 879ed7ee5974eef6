import Type from 'typebox'
import * as accounts from '../../api/accounts.ts'
import * as audit from '../../api/audit.ts'
import * as bills from '../../api/bills.ts'
import * as cycles from '../../api/cycles.ts'
import * as dryRun from '../../api/dry-run.ts'
import * as events from '../../api/events.ts'
import * as imports from '../../api/imports.ts'
import * as keys from '../../api/keys.ts'
import * as lineEvents from '../../api/line-events.ts'
import * as manifests from '../../api/manifests.ts'
import * as postEvents from '../../api/post-events.ts'
import * as priceBook from '../../api/price-book.ts'
import * as priceLists from '../../api/price-lists.ts'
import * as sources from '../../api/sources.ts'
import * as storage from '../../api/storage.ts'
import * as unbilled from '../../api/unbilled.ts'
import * as usage from '../../api/usage.ts'
import * as views from '../../api/views.ts'
import * as voids from '../../api/voids.ts'
import * as compat from '../compat/compat-schemas.ts'

const MODULES: readonly Readonly<Record<string, unknown>>[] = [
  accounts,
  audit,
  bills,
  cycles,
  dryRun,
  events,
  imports,
  keys,
  lineEvents,
  manifests,
  postEvents,
  priceBook,
  priceLists,
  sources,
  storage,
  unbilled,
  usage,
  views,
  voids,
  compat,
]

/** What every refusal looks like, but to clients of other systems. */
export const Problem = Type.Object(
  {
    type: Type.Literal('about:blank'),
    title: Type.String({ description: 'The same for every problem of this code' }),
    status: Type.Integer(),
    code: Type.String({ description: 'Stable: what programs should look at' }),
    detail: Type.String({ description: 'What is wrong, where, and what to do' }),
    requestId: Type.String({
      description: 'Of the request: the header X-Request-Id and the log have it too',
    }),
  },
  { additionalProperties: true, description: 'A problem (RFC 9457)' },
)

/** Schemas by the names of their constants: those of objects, and of texts with a form of their own. */
const NAMED = new Map<string, object>()
for (const [name, value] of MODULES.flatMap((module) => Object.entries(module))) {
  if (isNamed(value)) NAMED.set(name.replace(/View$/, ''), value)
}
NAMED.set('Problem', Problem)

function isNamed(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || 'method' in value) return false
  const { type, pattern, properties } = value as Readonly<Record<string, unknown>>
  return (type === 'object' && properties !== undefined) || (type === 'string' && pattern !== undefined)
}

const NAMES = new Map([...NAMED].map(([name, schema]) => [JSON.stringify(plainSchema(schema)), name]))

/** components/schemas of openapi.json: those that its other parts refer to, and those that these refer to. */
export function schemasUsedIn(parts: object): Readonly<Record<string, object>> {
  const used = new Map<string, object>()
  const look = (part: object) => {
    for (const [, name] of JSON.stringify(part).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      if (name === undefined || used.has(name)) continue
      const schema = members(plainSchema(NAMED.get(name)!))
      used.set(name, schema)
      look(schema)
    }
  }
  look(parts)
  return Object.fromEntries([...used].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** A schema as JSON Schema has it, without what our own readers add to it. */
export function plainSchema(schema: object): Readonly<Record<string, unknown>> {
  const keep = (name: string, value: unknown) => (name.startsWith('x-') ? undefined : value)
  return JSON.parse(JSON.stringify(schema, keep)) as Readonly<Record<string, unknown>>
}

/** A schema that says `$ref` where another one has a name. */
export function shortened(schema: object): object {
  return refer(plainSchema(schema)) as object
}

function refer(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const name = NAMES.get(JSON.stringify(value))
  if (name !== undefined) return { $ref: `#/components/schemas/${name}` }
  return Array.isArray(value) ? value.map(refer) : members(value)
}

function members(value: object): object {
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, refer(member)]))
}
