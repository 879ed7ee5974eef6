import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { HttpProblem, shown } from '../api/problem.ts'
import { Gathered } from './gather.ts'
import type { Memory } from './held-bytes.ts'
import { UNPACKED_BYTES_MAX } from './limits.ts'
import { LINES, mediaType } from './media-types.ts'
import { Pace } from './pace.ts'

const unpackGzip = promisify(gunzip)

/** By a call, and not by promises: most bodies are small, and are taken as soon as they are there. */
type Done = (problem: Error | null, body?: Buffer) => void

/** Where a body comes from, and how large it may be. */
export interface BodySource {
  readonly raw: IncomingMessage
  readonly bytesMax: number
  readonly memory: Memory
}

/**
 * The body of a request as bytes, whatever its content type, unpacked and within the limits: what it says is read later.
 * @param done told once: what is wrong with it (HttpProblem), or the body
 */
export function readBody({ raw, bytesMax, memory }: BodySource, done: Done): void {
  const { headers } = raw
  const announced = Number(headers['content-length'] ?? 0)
  let isPacked: boolean
  try {
    isPacked = readEncoding(headers['content-encoding'])
    if (announced > bytesMax) throw tooLarge(bytesMax)
  } catch (problem) {
    done(problem as HttpProblem)
    return
  }
  const isLines = LINES.has(mediaType(headers['content-type']))
  collect({ stream: raw, announced, isLines, most: bytesMax }, memory, (problem, bytes) => {
    if (problem || !bytes || !isPacked) {
      done(problem, bytes)
      return
    }
    const unpacked = unpack(bytes, Math.min(UNPACKED_BYTES_MAX, 2 * bytesMax), memory)
    memory.during(unpacked).then((body) => done(null, body), done)
  })
}

function readEncoding(encoding = 'identity'): boolean {
  const name = encoding.trim().toLowerCase()
  if (name === 'gzip' || name === 'x-gzip') return true
  if (name === 'identity' || name === '') return false
  const detail = `The body is encoded as ${shown(encoding)}: send gzip, or no Content-Encoding.`
  throw new HttpProblem('request/unsupported_encoding', detail)
}

interface Arriving {
  readonly stream: Readable
  /** Its length as announced; 0 if it was not. */
  readonly announced: number
  readonly isLines: boolean
  readonly most: number
}

/**
 * By events: for most bodies are one chunk, and an iterator costs more than the rest of the reading. Memory is taken for
 * what has arrived, not for what was announced.
 */
function collect({ stream, announced, isLines, most }: Arriving, memory: Memory, done: Done): void {
  const body = new Gathered()
  let pace: Pace | undefined
  let isDone = false
  const end = (problem: Error | null) => {
    if (isDone) return
    isDone = true
    pace?.end()
    if (problem) done(problem)
    else done(null, body.end())
  }
  // Not read on: the connection ends with the answer.
  const refuse = (problem: HttpProblem) => {
    stream.pause()
    end(problem)
  }
  stream.on('data', (chunk: Buffer) => {
    if (isDone) return
    try {
      if (body.length + chunk.length > most) throw tooLarge(most)
      memory.take(chunk.length)
    } catch (problem) {
      refuse(problem as HttpProblem)
      return
    }
    body.add(chunk)
    if (body.length === announced) return
    pace ??= new Pace(isLines, refuse)
    pace.arrived(chunk.length)
  })
  const cut = () =>
    end(new HttpProblem('request/incomplete_body', 'The connection ended within the body: send it again.'))
  stream.on('error', cut)
  stream.on('close', cut)
  stream.on('end', () => end(null))
  // Nothing has come on the connection for as long as it may be idle, and Node.js leaves it to a listener.
  stream.on('timeout', () => {
    if (isDone) stream.destroy()
    else refuse(stalled())
  })
}

function stalled(): HttpProblem {
  return new HttpProblem('request/timeout', 'The rest of the body did not arrive in time: send it again.')
}

function tooLarge(most: number): HttpProblem {
  const detail = `The body is larger than ${most} bytes: send it in parts, in several requests.`
  return new HttpProblem('request/too_large', detail)
}

/**
 * Unpack gzip. The size that its last four bytes claim is held, and the output ends there; data of several parts
 * claims less than it has, and is unpacked again up to the limit. Nothing beyond the limit is ever unpacked.
 */
async function unpack(packed: Buffer, most: number, memory: Memory): Promise<Buffer> {
  const claimed = packed.length >= 4 ? packed.readUInt32LE(packed.length - 4) : 0
  const first = Math.min(claimed, most)
  memory.take(first)
  try {
    return await unpackGzip(packed, { maxOutputLength: Math.max(first, 1) })
  } catch (error) {
    if (!isTooLong(error)) throw invalidGzip(error)
  }
  if (claimed > most) throw unpacksTooLarge(most)
  memory.take(most - first)
  try {
    return await unpackGzip(packed, { maxOutputLength: most })
  } catch (error) {
    throw isTooLong(error) ? unpacksTooLarge(most) : invalidGzip(error)
  }
}

function isTooLong(error: unknown): boolean {
  return codeOf(error) === 'ERR_BUFFER_TOO_LARGE'
}

function unpacksTooLarge(most: number): HttpProblem {
  const detail = `The body unpacks to more than ${most} bytes: send it in parts, in several requests.`
  return new HttpProblem('request/unpacks_too_large', detail)
}

function invalidGzip(error: unknown): HttpProblem {
  const isCut = codeOf(error) === 'Z_BUF_ERROR'
  const detail = isCut
    ? 'The gzip data ends too early: the body was cut off. Send it again, whole.'
    : 'The body is not gzip data, although Content-Encoding says so: send it as it is, or pack it again.'
  return new HttpProblem('request/invalid_gzip', detail)
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
