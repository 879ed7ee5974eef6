import type { DeliveryAnswer, SentDelivery } from '../http/body/delivery-types.ts'
import { HttpProblem } from '../http/api/problem.ts'
import type { Log } from '../store/connect.ts'
import { noteStoring } from '../store/writable.ts'
import type { IngestReport, IngestSetup, TakeTask } from './ingest-messages.ts'
import { startThread, type Thread } from './thread.ts'

/** Bytes of bodies that a thread has at once, unless one alone has more: what they become is several times as much. */
export const THREAD_BYTES_MAX = 2 * 1024 * 1024
/**
 * Memory of one thread, in MiB: what may be parsed of a body takes up to 150. Node.js takes --max-old-space-size for
 * threads too, and in its place.
 */
export const THREAD_HEAP_MIB_MAX = 256
/** … and of its newest objects, which it looks through often. */
const THREAD_YOUNG_MIB_MAX = 32

/** A delivery, and who waits for its answer. */
export interface WaitingDelivery {
  readonly sent: SentDelivery
  /** @param answer undefined: no thread takes it */
  resolve(answer: DeliveryAnswer | undefined): void
  reject(error: unknown): void
}

interface Pending extends WaitingDelivery {
  readonly bytes: number
}

export interface IngestThreadOptions {
  readonly module: URL
  readonly setup: IngestSetup
  readonly log: Log
  readonly heapMib: number
  /** Told when it can take more. */
  readonly onRoom: () => void
  /** Told when it has run out of memory. It is gone then, and everything that it was given has been answered. */
  readonly onLost: (thread: IngestThread) => void
}

/** One thread, and what it was given and has not answered. It reads one body at a time. */
export class IngestThread {
  #thread: Thread<TakeTask> | undefined
  readonly #options: IngestThreadOptions
  readonly #pending = new Map<number, Pending>()
  #reading: number | undefined
  #given = 0
  /** Of bodies that it was given and has not answered. */
  bytes = 0

  static async start(options: IngestThreadOptions): Promise<IngestThread> {
    const one = new IngestThread(options)
    const { module, setup, log, heapMib } = options
    const name = 'a thread for large deliveries'
    const limits = {
      maxOldGenerationSizeMb: heapMib,
      maxYoungGenerationSizeMb: THREAD_YOUNG_MIB_MAX,
    }
    const hear = (report: IngestReport) => one.#hear(report)
    const onOutOfMemory = () => one.#lose()
    one.#thread = await startThread<TakeTask, IngestReport>({
      module,
      name,
      setup,
      log,
      hear,
      limits,
      onOutOfMemory,
    })
    return one
  }

  constructor(options: IngestThreadOptions) {
    this.#options = options
  }

  hasRoomFor(bytes: number): boolean {
    if (this.#reading !== undefined) return false
    return this.bytes === 0 || this.bytes + bytes <= THREAD_BYTES_MAX
  }

  give(delivery: WaitingDelivery): void {
    const { body, ...sent } = delivery.sent
    const number = this.#given++
    const bytes = body.length
    const moved = movable(body)
    this.bytes += bytes
    this.#pending.set(number, { ...delivery, bytes })
    this.#reading = number
    this.#thread!.send({ kind: 'take', number, sent, body: moved }, [moved.buffer])
  }

  #hear(report: IngestReport): void {
    if (report.kind === 'storing') return noteStoring(report.trouble)
    const { number } = report
    if (this.#reading === number) this.#reading = undefined
    if (report.kind !== 'read') {
      const pending = this.#pending.get(number)!
      this.#pending.delete(number)
      this.bytes -= pending.bytes
      if (report.kind === 'answer') pending.resolve(report.answer)
      else if (report.kind === 'bug') pending.reject(report.error)
      else pending.reject(new HttpProblem(report.code, report.detail, report.headers))
    }
    this.#options.onRoom()
  }

  /** What was being read has stored nothing, and was the reason. Of what was being stored nobody knows. */
  #lose(): void {
    for (const [number, pending] of this.#pending) {
      const { sent, bytes } = pending
      const isReason = number === this.#reading
      pending.reject(isReason ? tooComplex() : unknown())
      const fields = { requestId: sent.requestId, key: sent.sender, bytes, isReason }
      this.#options.log.warn(fields, 'A thread has run out of memory with this delivery')
    }
    this.#pending.clear()
    this.#options.onLost(this)
  }

  close(): Promise<void> {
    return this.#thread!.close()
  }
}

function tooComplex(): HttpProblem {
  const detail = 'To read the body takes more memory than a delivery may have: send it in several requests.'
  return new HttpProblem('request/too_complex', detail)
}

function unknown(): HttpProblem {
  const detail =
    'The thread that stored the events has run out of memory, and some may be stored: send them again, repeats are harmless.'
  return new HttpProblem('ingest/unavailable', detail, { 'retry-after': '1' })
}

/** Memory that holds a body and nothing else: it cannot be read here any more once it is moved to a thread. */
function movable(body: Buffer): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = body
  const isAlone = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
  return isAlone ? new Uint8Array(buffer) : new Uint8Array(body)
}
