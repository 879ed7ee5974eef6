import { gzipSync } from 'node:zlib'

/** What one key, or strangers, do to a server: sent by a process of its own (flood-process.ts). */
export const FLOODS = [
  'events',
  'batches',
  'hostile bodies',
  'questions',
  'dry runs',
  'slow uploads',
  'wrong keys',
] as const
export type Flood = (typeof FLOODS)[number]

/** How many requests of a flood are on their way at once. */
export const FLOOD_CONNECTIONS: Readonly<Record<Flood, number>> = {
  events: 64,
  batches: 16,
  'hostile bodies': 8,
  questions: 12,
  'dry runs': 12,
  'slow uploads': 100,
  'wrong keys': 64,
}

const MIB = 2 ** 20

export interface Hostile {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** Bodies that are small on their way and large when they are read (the first two are packed). */
export function hostileBodies(): readonly Hostile[] {
  const packed = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
  const repeated = (first: string, piece: string, bytes: number) =>
    gzipSync(Buffer.concat([Buffer.from(first), Buffer.alloc(bytes, piece)]), { level: 1 })
  const ofPieces = (['{},', '[],', '0,', '"",'] as const).map((piece) => repeated('[', piece, 32 * MIB - 1))
  const deep = repeated('', '[', 16 * MIB)
  const batches = repeated('{"events":[', '{},', 8 * MIB)
  return [
    ...[...ofPieces, deep].map((body) => ({ path: '/v1/events', headers: packed, body })),
    { path: '/v1/events?dryRun=true', headers: packed, body: ofPieces[0]! },
    { path: '/api/v1/events/batch', headers: packed, body: batches },
    { path: '/api/v1/events', headers: packed, body: ofPieces[0]! },
  ]
}
