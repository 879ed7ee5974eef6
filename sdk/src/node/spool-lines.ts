import { crc32 } from 'node:zlib'
import type { CloudEvent } from '../facts.ts'
import { completed } from '../fold.ts'
import type { SpoolRecord } from '../spool.ts'

/** The first line of a spool: for which server the rest is. */
export interface SpoolHeader {
  readonly farthingSpool: 1
  readonly url: string
}

/** A line: the checksum of what follows it, a blank, JSON, and the end of the line. */
export function lineOf(value: SpoolRecord | SpoolHeader): Buffer {
  const json = Buffer.from(JSON.stringify(value))
  return Buffer.concat([Buffer.from(`${checksum(json)} `), json, NEWLINE])
}

const NEWLINE = Buffer.from('\n')
const CHECKSUM_CHARACTERS = 8

function checksum(bytes: Buffer): string {
  return crc32(bytes).toString(16).padStart(CHECKSUM_CHARACTERS, '0')
}

/** The value of a line without its end; undefined for one that is damaged or was not written to its end. */
function readLine(line: Buffer): unknown {
  const json = line.subarray(CHECKSUM_CHARACTERS + 1)
  if (line.toString('latin1', 0, CHECKSUM_CHARACTERS + 1) !== `${checksum(json)} `) return undefined
  try {
    return JSON.parse(json.toString('utf8'))
  } catch {
    return undefined
  }
}

/** The url in the first line; undefined when it cannot be read. */
export function readHeader(text: Buffer): string | undefined {
  const end = text.indexOf(NEWLINE)
  const header =
    end === -1 ? undefined : (readLine(text.subarray(0, end)) as Partial<SpoolHeader> | undefined)
  return header?.farthingSpool === 1 ? header.url : undefined
}

export interface SpoolContent {
  readonly events: readonly CloudEvent[]
  /** Lines that could not be read, and counts that nothing says what they counted. */
  readonly damaged: number
}

/**
 * The events of a spool. Calls whose minute had not ended are counted into the event that they would have become,
 * with its identity: anyone who reads this, and however often, gets the same.
 */
export function readSpool(text: Buffer): SpoolContent {
  const { records, damaged } = readRecords(text)
  const events = new Map<string, CloudEvent>()
  const parts = new Map<string, { event: CloudEvent | undefined; count: bigint }>()
  for (const record of records) {
    if (!('part' in record)) events.set(record.event.id, record.event)
    else {
      const part = parts.get(record.part) ?? { event: undefined, count: 0n }
      parts.set(record.part, { event: part.event ?? record.event, count: part.count + BigInt(record.count) })
    }
  }
  let nameless = 0
  for (const [id, { event, count }] of parts) {
    // Its event is there: the counts are older, and in it.
    if (events.has(id)) continue
    if (event) events.set(id, completed(event, count))
    else nameless++
  }
  return { events: [...events.values()], damaged: damaged + nameless }
}

function readRecords(text: Buffer): { readonly records: readonly SpoolRecord[]; readonly damaged: number } {
  const records: SpoolRecord[] = []
  let damaged = 0
  for (let start = text.indexOf(NEWLINE) + 1; start < text.length;) {
    const found = text.indexOf(NEWLINE, start)
    const end = found === -1 ? text.length : found
    // A line without its end was half-written, whatever it looks like.
    const value = found === -1 ? undefined : readLine(text.subarray(start, end))
    if (value === undefined) damaged++
    else records.push(value as SpoolRecord)
    start = end + 1
  }
  return { records, damaged }
}
