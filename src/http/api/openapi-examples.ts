interface Examples {
  /** By content type. */
  readonly body?: Readonly<Record<string, unknown>>
  readonly answer?: unknown
}

const EVENT = {
  specversion: '1.0',
  id: 'req-1',
  source: '/gateway/3',
  type: 'farthing.request',
  subject: 'acme',
  time: '2026-01-02T03:04:05Z',
  data: { operation: 'SimpleQuery', status: 200 },
}
const PROMPT = { ...EVENT, type: 'prompt', data: { tokens: '120' } }
const LAGO_EVENT = {
  transaction_id: 'req-1',
  external_subscription_id: 'acme',
  code: 'prompt',
  timestamp: 1767323045,
  properties: { tokens: '120' },
}
const MANIFEST = { source: '/gateway/3', hour: '2025-07-28T03Z', events: 1200 }
const METER = {
  id: 'Tokens',
  slug: 'Tokens',
  name: 'Tokens',
  description: 'The billed quantity of Tokens, in token',
  aggregation: 'SUM',
  eventType: 'prompt',
  valueProperty: '$.tokens',
  groupBy: { operation: '$.operation', project: '$.project', region: '$.region' },
  metadata: { unit: 'token' },
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
}
const COUNTS = { accepted: 1, duplicates: 0, conflicts: 0, held: 0, rejected: 0 }

/** What people send and get, by operation. A test holds each against its schema. */
export const EXAMPLES: Readonly<Record<string, Examples>> = {
  'POST /v1/events': {
    body: {
      'application/cloudevents+json': EVENT,
      'application/cloudevents-batch+json': [EVENT, { ...EVENT, id: 'req-2' }],
      'application/json': EVENT,
      'application/x-ndjson': `${JSON.stringify(EVENT)}\n`,
    },
    answer: {
      ...COUNTS,
      rejected: 1,
      problems: [
        {
          index: 1,
          id: 'req-2',
          outcome: 'rejected',
          code: 'event/invalid_time',
          detail: 'time has no offset: end it with Z or with one such as +08:00.',
        },
      ],
    },
  },
  'GET /v1/usage': {
    answer: {
      items: [
        {
          from: '2026-01-01T00:00:00Z',
          to: '2026-02-01T00:00:00Z',
          item: 'StandardQueryL0',
          amount: '0.006',
          quantities: [{ unit: 'call', quantity: '1200', waived: '3', amount: '0.006' }],
        },
      ],
      next: null,
      asOf: '2026-01-31T03:04:05.000Z',
      currency: 'USD',
      from: '2026-01-01T00:00:00Z',
      to: '2026-02-01T00:00:00Z',
      timeZone: 'UTC',
      basis: 'usage',
      total: {
        amount: '0.006',
        quantities: [{ unit: 'call', quantity: '1200', waived: '3', amount: '0.006' }],
      },
      held: {
        events: 2,
        reasons: [
          {
            code: 'held/unknown_operation',
            subject: 'Teleport',
            events: 2,
            quantities: [{ unit: 'call', quantity: '2' }],
          },
        ],
      },
    },
  },
  'GET /v1/storage': {
    answer: {
      items: [
        {
          project: 'photos',
          dataset: '2026',
          region: null,
          bytes: '123456789',
          since: '2026-01-02T03:04:05.000Z',
          ageSeconds: 86400,
          source: 'indexer',
          id: 'level-17',
        },
      ],
      next: null,
      asOf: '2026-01-03T03:04:05.000Z',
    },
  },
  'POST /v1/voids': {
    body: { 'application/json': { account: 'acme', id: 'call-17', reason: 'sent by a load test' } },
    answer: {
      account: 'acme',
      dryRun: false,
      events: 3,
      voided: 2,
      alreadyVoided: 1,
      held: 0,
      duplicates: 0,
      levels: 0,
      storage: '0',
      givenBack: '-0.00001',
      notBilled: '0',
      currency: 'USD',
      doneUntil: null,
      next: null,
    },
  },
  'GET /v1/sources/silent': {
    answer: {
      items: [
        {
          source: '/gateway/3',
          lastHour: '2026-01-02T03:00:00Z',
          silentSince: '2026-01-02T04:00:00Z',
          acknowledgedBy: null,
        },
      ],
      next: null,
    },
  },
  'POST /v1/sources/silent/acknowledge': {
    body: { 'application/json': { source: '/gateway/3' } },
    answer: { source: '/gateway/3' },
  },
  'POST /v1/manifests': {
    body: { 'application/json': MANIFEST },
    answer: { ...MANIFEST, hour: '2025-07-28T03:00:00Z' },
  },
  'GET /v1/refused-events/counts': {
    answer: {
      items: [
        {
          account: 'acme',
          source: '/gateway/3',
          code: 'event/invalid_time',
          outcome: 'rejected',
          times: 10000,
          firstAt: '2026-01-02T03:04:05.000Z',
          lastAt: '2026-01-02T03:09:00.000Z',
        },
      ],
      next: null,
    },
  },
  'POST /v1/price-book': {
    body: {
      'application/yaml':
        'priceBook: acme\ncurrency: USD\nitems:\n  Calls:\n    component: request\n    rates:\n      default: { operations: [Search], unit: call, per: 1000, prices: [{ from: "2026-01-01T00:00:00Z", price: "0.5" }] }\n',
    },
    answer: {
      version: 2,
      basedOn: 1,
      published: true,
      firstOpenHour: '2026-01-02T04:00:00Z',
      changes: [],
      violations: [],
      remarks: [],
    },
  },
  'POST /v1/price-lists/:name': {
    body: { 'application/yaml': 'priceList: partners\ndiscount: "0.15"\n' },
    answer: {
      name: 'partners',
      version: 2,
      basedOn: 1,
      published: true,
      firstOpenHour: '2026-01-02T04:00:00Z',
      changes: [
        {
          kind: 'discount_changed',
          item: null,
          rate: null,
          from: null,
          to: null,
          was: null,
          becomes: '0.15',
          fromNextMonth: false,
        },
      ],
      violations: [],
    },
  },
  'PUT /v1/accounts/:account': {
    body: { 'application/json': { name: 'Acme Ltd', timeZone: 'Asia/Shanghai', tags: { plan: 'team' } } },
    answer: {
      account: 'acme',
      name: 'Acme Ltd',
      timeZone: 'Asia/Shanghai',
      timeZones: [{ fromMonth: '2026-02', timeZone: 'Asia/Shanghai' }],
      tags: { plan: 'team' },
      priceLists: [{ list: 'partners', from: '2026-02-01T00:00:00Z' }],
      closed: null,
      createdAt: '2026-01-02T03:04:05.000Z',
      updatedAt: '2026-01-02T03:04:05.000Z',
      waitingTiers: [],
      minimum: null,
    },
  },
  'POST /v1/keys': {
    body: { 'application/json': { name: 'collector', scopes: ['usage:write'], account: 'acme' } },
    answer: {
      id: 'key_4x7k2m9qwb3c',
      name: 'collector',
      scopes: ['usage:write'],
      account: 'acme',
      createdAt: '2026-01-02T03:04:05.000Z',
      expiresAt: null,
      revokedAt: null,
      key: 'frt_…',
    },
  },
  'GET /healthz': { answer: { status: 'ok' } },
  'GET /readyz': { answer: { ready: true, sealing: 'running', reasons: [] } },
  'POST /api/v1/events': {
    body: {
      'application/cloudevents+json': PROMPT,
      'application/cloudevents-batch+json': [PROMPT],
      'application/json': { event: LAGO_EVENT },
    },
  },
  'POST /api/v3/openmeter/events': {
    body: {
      'application/cloudevents+json': PROMPT,
      'application/cloudevents-batch+json': [PROMPT],
      'application/json': [PROMPT],
    },
  },
  'POST /api/v1/events/batch': { body: { 'application/json': { events: [LAGO_EVENT] } } },
  'POST /v1/billing/meter_events': {
    body: {
      'application/x-www-form-urlencoded': {
        event_name: 'pages',
        identifier: 'req-1',
        'payload[stripe_customer_id]': 'acme',
        'payload[value]': '25',
      },
    },
  },
  'GET /api/v1/meters': { answer: [METER] },
  'GET /api/v1/meters/:slug': { answer: METER },
  'POST /api/v1/meters/:slug/query': {
    body: { 'application/json': { from: '2026-01-01T00:00:00Z', windowSize: 'DAY', subject: ['acme'] } },
    answer: {
      from: '2026-01-01T00:00:00Z',
      to: '2026-02-01T00:00:00Z',
      windowSize: 'DAY',
      data: [
        {
          value: 120,
          windowStart: '2026-01-01T00:00:00Z',
          windowEnd: '2026-01-02T00:00:00Z',
          subject: 'acme',
          groupBy: {},
        },
      ],
    },
  },
}
