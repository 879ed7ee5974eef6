import { generateHour, type HourOptions } from '../generate/hour.ts'
import { seededRandom } from '../generate/random.ts'

/** Events to be sent, in bodies of `batch` each; 1: an event on its own. */
export interface Load extends HourOptions {
  readonly batch: number
  /** The share of events that were sent before, 0 to 1. */
  readonly repeats: number
}

/**
 * The bodies of a load. A repeat has the very bytes of an event of an earlier body, whichever, as when a client has
 * missed an answer and sends again.
 */
export function makeBodies(load: Load): readonly Buffer[] {
  const { batch, repeats, seed, events } = load
  const random = seededRandom(seed)
  const fresh = generateHour(load)
  const sent: string[] = []
  const bodies: Buffer[] = []
  for (let made = 0; made < events; made += batch) {
    const before = sent.length
    const texts = Array.from({ length: Math.min(batch, events - made) }, () => {
      if (before > 0 && random.chance(repeats)) return sent[random.below(before)]!
      const text = fresh.next().value!
      if (repeats > 0) sent.push(text)
      return text
    })
    bodies.push(Buffer.from(batch === 1 ? texts[0]! : `[${texts.join(',')}]`))
  }
  return bodies
}
