import type { Instant } from '../core/time/instant.ts'

// Arrays as PostgreSQL's binary protocol has them. The driver would write them as texts, in which each quote of a JSON
// text is escaped: several times the work on both sides.

/** Dimensions, whether there are nulls, the type of the values, how many they are, and the number of the first. */
const HEADER_BYTES = 20
const LENGTH_BYTES = 4
/** The length of a null. */
const NULL = -1

/** PostgreSQL's numbers of the types, and their lengths. */
const TYPES = {
  smallint: { oid: 21, bytes: 2 },
  int: { oid: 23, bytes: 4 },
  bigint: { oid: 20, bytes: 8 },
  timestamptz: { oid: 1184, bytes: 8 },
} as const
const TEXT_OID = 25
/** 2000-01-01T00:00:00Z, from which PostgreSQL counts, in milliseconds since 1970. */
const POSTGRES_EPOCH = 946_684_800_000
const TWO_TO_32 = 2 ** 32

/** As `text[]`. Text with U+0000 is refused by the database (22021). */
export function textArray(values: readonly (string | null)[]): Buffer {
  let size = HEADER_BYTES
  for (const value of values) size += LENGTH_BYTES + (value === null ? 0 : Buffer.byteLength(value))
  const bytes = begin(size, TEXT_OID, values.length)
  let at = HEADER_BYTES
  for (const value of values) {
    const length = value === null ? NULL : bytes.write(value, at + LENGTH_BYTES)
    bytes.writeInt32BE(length, at)
    at += LENGTH_BYTES + Math.max(0, length)
  }
  return bytes
}

/** @param values whole numbers that the type can hold */
export function integerArray(
  type: 'smallint' | 'int' | 'bigint',
  values: readonly (number | null)[],
): Buffer {
  return fixedArray(type, values)
}

/** As `timestamptz[]`: exact until the year 2285, to the millisecond after it. */
export function instantArray(values: readonly Instant[]): Buffer {
  return fixedArray(
    'timestamptz',
    values.map((at) => (at - POSTGRES_EPOCH) * 1000),
  )
}

function fixedArray(type: keyof typeof TYPES, values: readonly (number | null)[]): Buffer {
  const { oid, bytes: width } = TYPES[type]
  let size = HEADER_BYTES
  for (const value of values) size += LENGTH_BYTES + (value === null ? 0 : width)
  const bytes = begin(size, oid, values.length)
  let at = HEADER_BYTES
  for (const value of values) {
    at = bytes.writeInt32BE(value === null ? NULL : width, at)
    if (value === null) continue
    if (width === 2) at = bytes.writeInt16BE(value, at)
    else if (width === 4) at = bytes.writeInt32BE(value, at)
    else at = writeInt64(bytes, value, at)
  }
  return bytes
}

/** In two halves: as a BigInt each value would be an object. */
function writeInt64(bytes: Buffer, value: number, at: number): number {
  const high = Math.floor(value / TWO_TO_32)
  bytes.writeInt32BE(high, at)
  return bytes.writeUInt32BE(value - high * TWO_TO_32, at + 4)
}

function begin(size: number, oid: number, count: number): Buffer {
  const bytes = Buffer.allocUnsafe(size)
  let at = bytes.writeInt32BE(1)
  // There may be nulls: the values tell.
  at = bytes.writeInt32BE(1, at)
  at = bytes.writeInt32BE(oid, at)
  at = bytes.writeInt32BE(count, at)
  bytes.writeInt32BE(1, at)
  return bytes
}
