import Type from 'typebox'
import { BillId } from './bills.ts'
import { endpoint } from './endpoint.ts'
import { parameter } from './parameters.ts'
import { Digest, Nullable, Text, Time } from './views.ts'

const Base64 = Type.String({ description: 'A hash, in Base64' })
const Keys = Type.Array(Type.String(), {
  description: 'Public keys that sign the log, as C2SP signed notes write them. Empty: the log is not signed',
})

export const BillProofView = Type.Object({
  bill: Type.String({ description: 'The id of the bill' }),
  origin: Type.String({ description: 'The name of the log' }),
  keys: Keys,
  digest: Digest,
  salt: Type.String({ pattern: '^[0-9a-f]{64}$', description: "The account's, hexadecimal" }),
  entry: Type.String({
    description: 'A byte that says what it is of, then SHA-256(salt, digest); hexadecimal',
  }),
  index: Type.Integer({ minimum: 0, description: 'Of the leaf' }),
  path: Type.Array(Base64, { description: 'The inclusion proof, from the leaf to the root' }),
  checkpoint: Type.String({ description: 'A signed note (C2SP tlog-checkpoint)' }),
  signed: Type.Boolean(),
  adopted: Type.Boolean({
    description: 'The bill is older than the log: the proof shows nothing earlier than `begunAt`',
  }),
  begunAt: Time,
  consistency: Type.Union(
    [Type.Object({ size: Type.Integer({ minimum: 0 }), path: Type.Array(Base64) }), Type.Null()],
    { description: 'With `since`: the proof that the log begins with the checkpoint of that size' },
  ),
})

export const GetBillProof = endpoint({
  method: 'GET',
  url: '/v1/bills/:id/proof',
  tag: 'Bills',
  summary: 'What proves that the bill is in the transparency log',
  description:
    'Gives the entry, the salt, the inclusion proof and the newest checkpoint. A bill is in a checkpoint about a minute after its issue; until then the answer is 409.',
  refusals: [409],
  params: Type.Object({ id: BillId }),
  query: Type.Object({
    since: Type.Optional(
      parameter(
        Type.Integer({ minimum: 0, description: 'The size of a checkpoint that you have kept' }),
        'send the size of a checkpoint of this log',
      ),
    ),
  }),
  answers: { 200: BillProofView },
})

const EarlierTree = Type.Object({
  origin: Text,
  size: Type.Integer({ minimum: 0 }),
  begunAt: Time,
})

export const LogView = Type.Object({
  origin: Nullable,
  keys: Keys,
  signed: Type.Boolean(),
  checkpoint: Type.Union([Type.String(), Type.Null()], {
    description: 'The newest one, a signed note; null: there is none yet. Keep it',
  }),
  size: Type.Integer({ minimum: 0, description: 'Entries, those that no checkpoint covers included' }),
  adopted: Type.Integer({ minimum: 0, description: 'Entries before it are older than the log' }),
  begunAt: Type.Union([Time, Type.Null()]),
  continues: Type.Union(
    [
      Type.Object({
        origin: Text,
        checkpoint: Nullable,
        signed: Nullable,
        reason: Text,
      }),
      Type.Null(),
    ],
    { description: 'Of a log that continues another one: its last checkpoint here, and why it ended' },
  ),
  before: Type.Array(EarlierTree, { description: 'The logs that it continues, the newest first' }),
})

export const GetLog = endpoint({
  method: 'GET',
  url: '/v1/log',
  tag: 'Transparency log',
  summary: 'The name, the keys and the newest checkpoint of the log',
  description: 'Gives all that somebody keeps in order to check bills later.',
  answers: { 200: LogView },
})

export const GetCheckpoint = endpoint({
  method: 'GET',
  url: '/log/checkpoint',
  tagged: true,
  tag: 'Transparency log',
  summary: 'The newest signed checkpoint (C2SP tlog-checkpoint)',
  description:
    'Gives a signed note of three lines: the name of the log, its size, and its root hash. 404 while the log is not signed.',
  refusals: [404],
  answers: { 200: Type.String() },
})

export const GetLogTile = endpoint({
  method: 'GET',
  url: '/log/tile/*',
  tagged: true,
  tag: 'Transparency log',
  summary: 'A tile of hashes or entries (C2SP tlog-tiles)',
  description:
    'Gives the bytes of `/log/tile/<level>/<number>[.p/<width>]` or `/log/tile/entries/<number>[.p/<width>]`. 404 for what the log has not.',
  refusals: [404],
  params: Type.Object({ '*': Type.String({ description: 'As C2SP tlog-tiles has it: `0/x001/x234/067`' }) }),
  answers: { 200: Type.String({ format: 'binary' }) },
})
