/** Lines on their way, ordered by the instant at which they arrive: a binary heap. */
export interface Outbox {
  put(arrivesMs: number, line: string): void
  /** The next line that has arrived by `untilMs` (inclusive), or undefined if none has. */
  take(untilMs: number): string | undefined
}

interface Parcel {
  readonly arrivesMs: number
  readonly line: string
}

export function makeOutbox(): Outbox {
  const heap: Parcel[] = []
  return {
    put(arrivesMs, line) {
      heap.push({ arrivesMs, line })
      siftUp(heap)
    },
    take(untilMs) {
      const first = heap[0]
      if (!first || first.arrivesMs > untilMs) return undefined
      const last = heap.pop()!
      if (heap.length > 0) {
        heap[0] = last
        siftDown(heap)
      }
      return first.line
    },
  }
}

function siftUp(heap: Parcel[]): void {
  let index = heap.length - 1
  const parcel = heap[index]!
  while (index > 0) {
    const parent = (index - 1) >>> 1
    if (heap[parent]!.arrivesMs <= parcel.arrivesMs) break
    heap[index] = heap[parent]!
    index = parent
  }
  heap[index] = parcel
}

function siftDown(heap: Parcel[]): void {
  const parcel = heap[0]!
  let index = 0
  for (;;) {
    let child = 2 * index + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && heap[child + 1]!.arrivesMs < heap[child]!.arrivesMs) child++
    if (heap[child]!.arrivesMs >= parcel.arrivesMs) break
    heap[index] = heap[child]!
    index = child
  }
  heap[index] = parcel
}
