import { compareBytes } from '../../../text/well-formed.ts'
import { PROBLEMS_MAX } from '../parse/problem.ts'
import type { RateChange } from './rate-change.ts'

/** One finding for each thing to correct, however many operations show it; the earliest hour of all. */
export class Findings {
  readonly #found = new Map<string, { readonly change: RateChange; readonly names: Set<string> }>()

  add(change: RateChange): void {
    const known = this.#found.get(change.key)
    for (const name of known ? change.names : []) known!.names.add(name)
    if (known && known.change.hour <= change.hour) return
    this.#found.set(change.key, { change, names: known?.names ?? new Set(change.names) })
  }

  /** More are not reported. */
  get areEnough(): boolean {
    return this.#found.size >= PROBLEMS_MAX
  }

  get all(): readonly RateChange[] {
    return [...this.#found.values()].map(({ change, names }) => ({
      ...change,
      names: [...names].toSorted(compareBytes),
    }))
  }
}
