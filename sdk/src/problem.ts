import type { CloudEvent } from './facts.ts'

/** Something that whoever runs the sender should know. */
export interface MeterProblem {
  /**
   * `retrying`: a delivery failed, and is sent again. `refused`: the server has refused a whole delivery, and it is
   * not sent again. `rejected`, `conflict`, `held`, `remark`: what the server says of one event. `dropped`: the queue
   * was full. `unsent`: the meter was closed before these were sent, and they are on no disk. `spool`: facts are not
   * on disk at the moment, or a file of the spool was damaged.
   */
  readonly kind:
    'retrying' | 'refused' | 'rejected' | 'conflict' | 'held' | 'remark' | 'dropped' | 'unsent' | 'spool'
  /** The server's code, or one of the SDK that begins with `sdk/`. */
  readonly code: string
  /** A sentence for people. */
  readonly detail: string
  /** The HTTP status, if there was an answer. */
  readonly status?: number
  /** What it is about: for `refused`, `unsent` and `dropped` these are counted nowhere unless you keep them. */
  readonly events: readonly CloudEvent[]
}

/** How problems are told when nobody listens: one line each on the console. */
export function warn({ kind, code, detail }: MeterProblem): void {
  console.warn(`Farthing usage, ${kind} (${code}): ${detail}`)
}
