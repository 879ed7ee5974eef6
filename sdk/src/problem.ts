import type { CloudEvent } from './facts.ts'
import { thinned } from './thinned.ts'

/** Something that anyone who runs the sender should know. */
export interface MeterProblem {
  /**
   * `retrying`: a delivery failed, as it does when a server is down, and is sent again. `refused`: a delivery was
   * refused for a reason that only a person can put right, such as the key or the url; its events are kept, and sent
   * again after longer pauses. `rejected`, `conflict`, `held`, `remark`: what the server says of one event. `dropped`:
   * the queue was full. `unsent`: the meter was closed, or the process has ended, before these were sent, and they are
   * on no disk. `spool`: facts are not on disk at the moment, or a file of the spool was damaged.
   */
  readonly kind:
    'retrying' | 'refused' | 'rejected' | 'conflict' | 'held' | 'remark' | 'dropped' | 'unsent' | 'spool'
  /** The server's code, or one of the SDK that begins with `sdk/`. */
  readonly code: string
  /** A sentence for people. */
  readonly detail: string
  /** The HTTP status, if there was an answer. */
  readonly status?: number
  /** What it is about: for `unsent` and `dropped` these are counted nowhere unless you keep them. */
  readonly events: readonly CloudEvent[]
}

/**
 * How problems are told when nobody listens: lines on the console, the 1st, 10th, 100th … of each kind. What is held is
 * counted by what the price book lacks, and a remark by the operation that it is about, so that each is seen once.
 */
export function warnSometimes(): (problem: MeterProblem) => void {
  const shown = thinned()
  return ({ kind, code, detail, events }) => {
    const perEvent = kind === 'unsent' || kind === 'dropped' ? events.length : 1
    const count = shown(
      `${kind} ${code} ${kind === 'held' || kind === 'remark' ? subjectOf(events[0]) : ''}`,
      perEvent,
    )
    if (count === undefined) return
    const until = count > 1 ? `, ${count} until now` : ''
    const about = kind === 'remark' ? ` The event: ${subjectOf(events[0])}.` : ''
    console.warn(`Farthing usage, ${kind} (${code}${until}): ${detail}${about}`)
  }
}

function subjectOf(event: CloudEvent | undefined): string {
  return `${event?.type} ${String(event?.data['operation'])}`
}
