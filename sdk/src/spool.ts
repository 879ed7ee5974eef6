import type { CloudEvent } from './facts.ts'

/** One line of a spool: an event; or calls that are counted into one, whose content is not complete yet. */
export type SpoolRecord =
  | { readonly event: CloudEvent }
  | {
      /** The id of the event into which they are counted. */
      readonly part: string
      readonly count: string
      /** The event without its count: in the first record of a part at least. */
      readonly event?: CloudEvent
    }

/** Something that must outlive the process. @param saved is told its bytes on disk when it has been written again */
export interface LiveRecord {
  readonly record: SpoolRecord
  readonly saved: (bytes: number) => void
}

/** What was left by a process that has ended. */
export interface Adopted {
  readonly events: readonly CloudEvent[]
  /** Lines that could not be read: half-written when the process ended, or damaged. */
  readonly damaged: number
  /** Everything of it is settled: forget it. */
  readonly done: () => void
}

/** What a meter tells its spool when it opens it. */
export interface SpoolOwner {
  /** Unique to this meter, in lower-case letters and digits. */
  readonly run: string
  /** Where its events go: only what was meant for there is adopted. */
  readonly url: string
  /** Everything that must outlive the process: for a fresh file when the old one has grown. */
  readonly live: () => Iterable<LiveRecord>
  /** A change for the worse. */
  readonly trouble: (code: string, detail: string) => void
}

/** Keeps facts on disk until they are delivered. `fileSpool` of `@farthing/sdk/node` is one. */
export interface Spool {
  /** @throws MeterError sdk/spool_unusable */
  open(owner: SpoolOwner): OpenSpool
}

export interface OpenSpool {
  /** Writes a record before it returns. @returns its bytes on disk; 0: it is not there, and no part of it is */
  append(record: SpoolRecord): number
  /** When all that was appended until now is as durable as the spool was told to make it. */
  durable(): Promise<void>
  /** So many bytes of records are needed no more. */
  settle(bytes: number): void
  /** What a process that has ended has left, if anything: given to exactly one. */
  adopt(): Promise<Adopted | undefined>
  close(): Promise<void>
}
