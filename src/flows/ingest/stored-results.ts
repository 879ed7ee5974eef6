import type { EventResult } from './ingest-types.ts'
import type { ReadDelivery } from './read-group.ts'

type Read = ReadDelivery<unknown>['reads'][number]

/**
 * What became of events of a group that needs several transactions, when the rest of it has to be read again: what is
 * stored is not stored again, so that it is answered and counted once.
 */
export class StoredResults<Waiting> {
  /** By delivery, and by the position of the event in it. */
  readonly #stored = new Map<Waiting, Map<number, EventResult>>()

  /** Note what was stored of a reading. */
  keep(read: readonly ReadDelivery<Waiting>[], stored: ReadonlyMap<Read, EventResult>): void {
    if (stored.size === 0) return
    for (const { waiting, reads } of read) {
      const own = this.#stored.get(waiting) ?? new Map<number, EventResult>()
      for (const [index, one] of reads.entries()) {
        const result = stored.get(one)
        if (result) own.set(index, result)
      }
      this.#stored.set(waiting, own)
    }
  }

  /** What of a delivery is still to be stored. */
  remaining({ waiting, reads }: ReadDelivery<Waiting>): readonly Read[] {
    const own = this.#stored.get(waiting)
    return own ? reads.filter((_, index) => !own.has(index)) : reads
  }

  /** One result for each event of a delivery. @param rest those of what remained, in order: as many are taken */
  all({ waiting, reads }: ReadDelivery<Waiting>, rest: Iterator<EventResult>): readonly EventResult[] {
    const own = this.#stored.get(waiting)
    return reads.map((_, index) => own?.get(index) ?? (rest.next().value as EventResult))
  }
}
