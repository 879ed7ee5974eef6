/** A level as a test says it: minutes from the start of the deployment, and steps of bytes. */
export interface Said {
  readonly minute: number
  readonly steps: number
  readonly dataset?: string
  readonly project?: string
  readonly region?: string | undefined
  readonly source?: string
  readonly id?: string
}

const DAY = 24 * 60

/** What comes in, and up to which hour is settled before the next. */
export interface Round {
  readonly send: readonly Said[]
  readonly outcomes?: readonly string[]
  readonly settleTo?: number
}

export const HISTORIES: readonly { readonly name: string; readonly rounds: readonly Round[] }[] = [
  {
    name: 'a level that nobody reports again for twelve days',
    rounds: [{ send: [{ minute: 61, steps: 7 }] }],
  },
  {
    name: 'a level that is ended by 0',
    rounds: [
      { send: [{ minute: 30, steps: 5 }] },
      { send: [{ minute: 11 * DAY + 17, steps: 0 }], settleTo: 264 },
    ],
  },
  {
    name: 'levels out of order, in one delivery and over settled hours',
    rounds: [
      {
        send: [
          { minute: 200, steps: 3 },
          { minute: 100, steps: 9 },
          { minute: 150, steps: 1 },
        ],
        settleTo: 30,
      },
      { send: [{ minute: 125, steps: 4 }], settleTo: 40 },
      {
        send: [
          { minute: 90, steps: 2 },
          { minute: 190, steps: 0 },
        ],
        settleTo: 50,
      },
    ],
  },
  {
    name: 'a level sent twice, at once and later',
    rounds: [
      {
        send: [
          { minute: 10, steps: 8, id: 'twice' },
          { minute: 10, steps: 8, id: 'twice' },
        ],
        outcomes: ['accepted', 'duplicate'],
        settleTo: 5,
      },
      { send: [{ minute: 10, steps: 8, id: 'twice' }], outcomes: ['duplicate'], settleTo: 9 },
    ],
  },
  {
    name: 'two levels at one instant, from two sources, whichever comes first',
    rounds: [
      {
        send: [
          { minute: 45, steps: 100, source: 'b' },
          { minute: 45, steps: 6, source: 'a' },
        ],
        settleTo: 4,
      },
      { send: [{ minute: 300, steps: 6, source: 'a' }], settleTo: 20 },
      { send: [{ minute: 300, steps: 50, source: 'b' }] },
    ],
  },
  {
    name: 'two levels at one instant, from one source',
    rounds: [
      {
        send: [
          { minute: 7, steps: 1, id: 'y' },
          { minute: 7, steps: 9, id: 'z' },
          { minute: 7, steps: 4, id: 'x' },
        ],
      },
    ],
  },
  {
    name: 'data stored long before its price begins',
    rounds: [
      { send: [{ minute: 0, steps: 11 }], settleTo: 90 },
      { send: [{ minute: 100 * 60 + 30, steps: 2 }] },
    ],
  },
  {
    name: 'a level ten days late, across a free period and a change of price',
    rounds: [
      {
        send: [
          { minute: DAY, steps: 10 },
          { minute: DAY, steps: 1, dataset: 'other' },
        ],
        settleTo: 24 * 12,
      },
      { send: [{ minute: 2 * DAY + 13, steps: 3 }] },
    ],
  },
  {
    name: 'an end that is ten days late',
    rounds: [
      { send: [{ minute: DAY, steps: 10 }], settleTo: 24 * 12 },
      { send: [{ minute: 2 * DAY + 13, steps: 0 }] },
    ],
  },
  {
    name: 'regions of one dataset, of which one moves to another and comes back',
    rounds: [
      {
        send: [
          { minute: 5, steps: 1, region: '/eu' },
          { minute: 5, steps: 2, region: '/us' },
          { minute: 7, steps: 4 },
        ],
        settleTo: 10,
      },
      {
        send: [
          { minute: 90, steps: 0, region: '/eu' },
          { minute: 90, steps: 1, region: '/ap' },
          { minute: 200, steps: 8 },
        ],
        settleTo: 20,
      },
      {
        send: [
          { minute: 150, steps: 0, region: '/ap' },
          { minute: 150, steps: 1, region: '/eu' },
          { minute: 30, steps: 3, region: '/us' },
        ],
      },
    ],
  },
  {
    name: 'datasets of one project, and one dataset name in two',
    rounds: [
      {
        send: [
          { minute: 5, steps: 1 },
          { minute: 6, steps: 2, dataset: 'e' },
          { minute: 7, steps: 4, project: 'q' },
        ],
        settleTo: 10,
      },
      {
        send: [
          { minute: 90, steps: 0 },
          { minute: 91, steps: 3, project: 'q' },
        ],
      },
    ],
  },
]
