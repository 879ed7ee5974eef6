import Type, { type TSchema } from 'typebox'
import { formatHour } from '../../src/core/time/hour.ts'
import { PriceListChange } from '../../src/api/price-lists.ts'
import { ROUTES } from '../../src/http/routes.ts'
import { at, FIRST, NOW } from './every-outcome.ts'

const HOUR = formatHour(FIRST)

/** How a command is run, and what its JSON is. */
export interface Try {
  /** `@name` stands for a file of the test, the id of a bill, or that of a key. */
  readonly args: readonly string[]
  /** An endpoint whose answer it prints; items of one, a line each; a schema of its own; nothing: it has no `--json`. */
  readonly json?:
    | { readonly answer: string }
    | { readonly items: string }
    | { readonly own: TSchema }
    | { readonly lines: TSchema }
  readonly code?: number
}

const answer = (name: string) => ({ json: { answer: name } })
const items = (name: string) => ({ json: { items: name } })
const own = (members: Record<string, TSchema>) => ({ json: { own: Type.Object(members) } })
const Count = Type.Integer({ minimum: 0 })
const Problem = Type.Object({
  file: Type.Optional(Type.String()),
  line: Count,
  id: Type.Union([Type.String(), Type.Null()]),
  outcome: Type.String(),
  code: Type.String(),
  detail: Type.String(),
})
const OUTCOMES = { accepted: Count, duplicates: Count, conflicts: Count, held: Count, rejected: Count }
export const BACKUP = {
  createdAt: Type.String(),
  farthing: Type.String(),
  tables: Count,
  rows: Count,
  bytes: Count,
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
}

const VOIDED = {
  account: Type.String(),
  currency: Type.String(),
  dryRun: Type.Boolean(),
  events: Count,
  voided: Count,
  alreadyVoided: Count,
  held: Count,
  duplicates: Count,
  levels: Count,
  givenBack: Type.String(),
  notBilled: Type.String(),
  storage: Type.Union([Type.String(), Type.Null()]),
}

/** Every command that the program has, with at least one way to run it. Writing ones come where they change nothing that others show. */
export const TRIES: Readonly<Record<string, readonly Try[]>> = {
  serve: [{ args: ['serve', '--help'] }],
  import: [
    {
      args: ['import', '@rejected.ndjson', '--no-wait'],
      code: 3,
      ...own({ ...OUTCOMES, problems: Type.Array(Problem) }),
    },
    { args: ['import', '@good.ndjson'], ...own({ ...OUTCOMES, problems: Type.Array(Problem) }) },
  ],
  'events check': [
    { args: ['events', 'check', '@rejected.ndjson'], code: 3 },
    { args: ['events', 'check', '@rejected.ndjson', '--all'], code: 3 },
    { args: ['events', 'check', '@good.ndjson', '--all'] },
  ],
  'bills list': [
    { args: ['bills'], ...items('GET /v1/bills') },
    { args: ['bills', 'list', '--account', 'acme'], ...items('GET /v1/bills') },
  ],
  'bills show': [
    { args: ['bills', 'show', '@bill'], ...answer('GET /v1/bills/:id') },
    { args: ['bills', 'show', '@bill', '--verbose'] },
  ],
  bill: [{ args: ['bill', '@bill'], ...answer('GET /v1/bills/:id') }],
  // A checkpoint covers a bill about a minute after its issue.
  proof: [{ args: ['proof', '--help'] }],
  'log show': [{ args: ['log', 'show'], ...answer('GET /v1/log') }],
  // Without a key nobody knows what was signed: the person who runs it does.
  'log continue': [
    {
      args: ['log', 'continue', '--reason', 'a test'],
      ...own({ origin: Type.String(), before: Type.Union([Type.String(), Type.Null()]) }),
    },
  ],
  explain: [{ args: ['explain', '--account', 'acme', 'billed'], ...answer('GET /v1/events') }],
  settle: [
    {
      args: ['settle', '--now'],
      ...own({
        hours: Count,
        sealing: Type.Enum(['running', 'delayed', 'stopped']),
        setAside: Type.Array(Type.Object({ account: Type.String() })),
      }),
    },
  ],
  migrate: [
    {
      args: ['migrate'],
      ...own({ applied: Type.Array(Type.String()), moved: Type.Boolean(), schema: Type.Literal('farthing') }),
    },
  ],
  verify: [
    { args: ['verify'], json: { lines: Type.Object({ place: Type.String(), detail: Type.String() }) } },
  ],
  backup: [
    { args: ['backup', '@all.backup'], ...own(BACKUP) },
    { args: ['backup', '--check', '@all.backup'], ...own(BACKUP) },
  ],
  restore: [],
  rate: [
    {
      args: ['rate', '@day.ndjson', '--price-book', '@book.yaml'],
      ...own({
        bills: Type.Array(schemaOf('GET /v1/bills/:id')),
        ...OUTCOMES,
        problems: Type.Array(Problem),
      }),
    },
    { args: ['rate', '@day.ndjson', '--price-book', '@book.yaml', '--summary'] },
  ],
  'price-book check': [
    {
      args: ['price-book', 'check', '@book.yaml'],
      ...own({
        ok: Type.Literal(true),
        remarks: Type.Array(Type.Object({ code: Type.String() }, { additionalProperties: true })),
      }),
    },
  ],
  'price-book publish': [{ args: ['price-book', 'publish', '@book.yaml'], ...answer('POST /v1/price-book') }],
  'price-book show': [
    { args: ['price-book', 'show', '--operations'] },
    { args: ['price-book', 'show', '1'], ...answer('GET /v1/price-book/:version') },
  ],
  'price-book list': [{ args: ['price-book'], ...items('GET /v1/price-book/versions') }],
  'price-book diff': [
    { args: ['price-book', 'diff'], ...answer('GET /v1/price-book/diff') },
    { args: ['price-book', 'diff', '@book.yaml'] },
  ],
  'price-lists publish': [
    {
      args: ['price-lists', 'publish', 'partners', '@list.yaml', '--dry-run'],
      ...answer('POST /v1/price-lists/:name'),
    },
    { args: ['price-lists', 'publish', 'partners', '@list.yaml'] },
  ],
  'price-lists check': [
    {
      args: ['price-lists', 'check', '@list.yaml'],
      ...own({ ok: Type.Literal(true), problems: Type.Array(Problem) }),
    },
  ],
  'price-lists diff': [
    {
      args: ['price-lists', 'diff', 'partners', '@list.yaml'],
      ...own({
        name: Type.String(),
        from: Type.Union([Count, Type.Null()]),
        to: Type.String(),
        changes: Type.Array(PriceListChange),
      }),
    },
  ],
  'price-lists list': [{ args: ['price-lists'], ...answer('GET /v1/price-lists') }],
  'price-lists show': [{ args: ['price-lists', 'show', 'partners'], ...answer('GET /v1/price-lists/:name') }],
  usage: [
    { args: ['usage'], ...items('GET /v1/usage') },
    {
      args: ['usage', '--window', 'hour', '--group-by', 'account,component,item,operation,project,region'],
      ...items('GET /v1/usage'),
    },
  ],
  storage: [
    { args: ['storage', '--account', 'acme'], ...items('GET /v1/storage') },
    { args: ['storage', '--account', 'closed'] },
  ],
  cycles: [{ args: ['cycles'], ...items('GET /v1/cycles') }],
  'sources list': [{ args: ['sources'], ...items('GET /v1/sources') }],
  'sources silent': [{ args: ['sources', 'silent'], ...items('GET /v1/sources/silent') }],
  'sources acknowledge': [
    { args: ['sources', 'acknowledge', '/steady'], ...answer('POST /v1/sources/silent/acknowledge') },
  ],
  'sources manifest': [
    {
      args: ['sources', 'manifest', '/gateway/1', HOUR, '3'],
      ...own({ source: Type.String(), hour: Type.String(), events: Count }),
    },
    { args: ['sources', 'manifest', '/never/came', HOUR, '7'] },
  ],
  'sources arrived': [{ args: ['sources', 'arrived', HOUR], ...items('GET /v1/cycles/:hour/sources') }],
  held: [
    { args: ['held'], ...items('GET /v1/held-events') },
    { args: ['held', '--events'], ...items('GET /v1/held-events/events') },
  ],
  refused: [
    { args: ['refused'], ...items('GET /v1/refused-events') },
    { args: ['refused', '--counts'], ...items('GET /v1/refused-events/counts') },
  ],
  'voids list': [{ args: ['voids'], ...items('GET /v1/voids') }],
  'voids create': [
    {
      args: ['voids', 'create', '--account', 'acme', 'late', '--reason', 'metered twice', '--dry-run'],
      ...own(VOIDED),
    },
    {
      args: [
        'voids',
        'create',
        '--account',
        'acme',
        '--from',
        HOUR,
        '--to',
        at(NOW, 0),
        '--reason',
        'r',
        '--dry-run',
      ],
    },
    { args: ['voids', 'create', '--account', 'acme', 'waiting', '--reason', 'metered twice', '--yes'] },
  ],
  void: [
    {
      args: ['void', '--account', 'acme', 'waiting', '--reason', 'again', '--yes'],
      ...own(VOIDED),
    },
  ],
  'accounts list': [{ args: ['accounts'], ...items('GET /v1/accounts') }],
  'accounts show': [{ args: ['accounts', 'show', 'acme'], ...answer('GET /v1/accounts/:account') }],
  'accounts set': [
    {
      args: ['accounts', 'set', 'acme', '--name', 'Acme Ltd.', '--tag', 'tier=gold'],
      ...answer('PUT /v1/accounts/:account'),
    },
  ],
  'export focus': [{ args: ['export', 'focus', '--help'] }],
  'export lines': [{ args: ['export', 'lines', '--help'] }],
  'export journal': [{ args: ['export', 'journal', '--help'] }],
  'keys list': [{ args: ['keys'], ...items('GET /v1/keys') }],
  'keys create': [{ args: ['keys', 'create', 'more', '--scope', 'usage:read'], ...answer('POST /v1/keys') }],
  'keys revoke': [{ args: ['keys', 'revoke', '@key'] }],
  'keys rescue': [{ args: ['keys', 'rescue'], ...own({ id: Type.String(), adminKeyPath: Type.String() }) }],
  audit: [{ args: ['audit'], ...items('GET /v1/audit-log') }],
  completion: [
    { args: ['completion', 'bash'] },
    { args: ['completion', 'zsh'] },
    { args: ['completion', 'fish'] },
  ],
}

export function schemaOf(name: string): TSchema {
  const route = ROUTES.find(({ method, url }) => `${method} ${url}` === name)
  return (route as unknown as { readonly answers: Record<number, TSchema> }).answers[
    name.startsWith('POST /v1/keys') || name === 'POST /v1/price-book' ? 201 : 200
  ]!
}

/** Of a list, what one of its items is. */
export function itemSchemaOf(name: string): TSchema {
  const page = schemaOf(name) as unknown as {
    readonly properties: { readonly items: { readonly items: TSchema } }
  }
  return page.properties.items.items
}
