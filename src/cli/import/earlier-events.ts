import { createHash } from 'node:crypto'
import type { TriedEvent } from '../../api/dry-run.ts'
import { canonicalJson, type Json } from '../../core/text/canonical-json.ts'
import { hourOf } from '../../core/time/hour.ts'
import { parseInstant } from '../../core/time/instant.ts'
import { CONFLICT_CODE, CONFLICT_DETAIL } from '../../core/ingest/conflict.ts'

/** Identities of a file that are remembered: some 200 MB. Repeats of later ones are found within a batch alone. */
export const CHECKED_IDENTITIES_KEPT = 1_000_000

/**
 * The new events of earlier batches of a file. A server that stores nothing does not know them; sending for good would
 * make later ones of the same identity and hour duplicates or conflicts.
 */
export class EarlierEvents {
  readonly #contents = new Map<string, string>()
  readonly #own = new Map<string, string>()
  readonly #kept: number

  constructor(kept = CHECKED_IDENTITIES_KEPT) {
    this.#kept = kept
  }

  /** What would become of an event, with the earlier ones stored. Corrects only what the server found valid. */
  correct(event: TriedEvent, line: Buffer): TriedEvent {
    if (event.outcome === 'rejected') return event
    const { name, content } = identityOf(line)
    const earlier = this.#contents.get(name)
    if (earlier === undefined) {
      if (event.outcome === 'accepted' || event.outcome === 'held') this.#own.set(name, content)
      return event
    }
    const common = { ...event, cycle: null, charges: [] }
    return earlier === content
      ? { ...common, outcome: 'duplicate', code: null, detail: null }
      : { ...common, outcome: 'conflict', code: CONFLICT_CODE, detail: CONFLICT_DETAIL }
  }

  /** From here on the events of the batch are earlier ones. */
  endBatch(): void {
    for (const [name, content] of this.#own) {
      if (this.#contents.size === this.#kept) break
      this.#contents.set(name, content)
    }
    this.#own.clear()
  }
}

/** Digests of what makes an event the same, and of its content. The server has found it valid. */
function identityOf(line: Buffer): { readonly name: string; readonly content: string } {
  const event = JSON.parse(line.toString('utf8')) as { readonly [key: string]: Json }
  const { time } = event
  const at = typeof time === 'string' ? parseInstant(time) : null
  const hour = typeof at === 'number' ? hourOf(at) : null
  const { subject = null, source = null, id = null, type = null } = event
  const { data, data_base64: encoded } = event
  const content = data ?? (typeof encoded === 'string' ? decodedJson(encoded) : null)
  return { name: digestOf([hour, subject, source, id]), content: digestOf([type, at, content]) }
}

function decodedJson(base64: string): Json {
  return JSON.parse(Buffer.from(base64, 'base64').toString('utf8')) as Json
}

function digestOf(value: Json): string {
  return createHash('sha256').update(canonicalJson(value)).digest('base64url').slice(0, 22)
}
