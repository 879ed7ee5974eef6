import type { HeldCode } from '../rate/rating/assess.ts'

interface HeldWords {
  /** What is missing, in a word or two. */
  readonly lacks: string
  readonly advice: string
}

const PUBLISH = 'publish a price book that'

/** What a held event lacks, and what releases it. */
const WORDS: Readonly<Record<HeldCode, HeldWords>> = {
  'held/unknown_operation': {
    lacks: 'operation',
    advice: `${PUBLISH} lists the operation, in quotes and spelt as it is here, under an item or under operations. If it is misspelt, correct the sender, take these events back, and send them under new ids.`,
  },
  'held/unknown_type': {
    lacks: 'event type',
    advice: `${PUBLISH} declares the type, under eventTypes.`,
  },
  'held/price_unknown': {
    lacks: 'price',
    advice: `${PUBLISH} has a price for the hours of this usage.`,
  },
  'held/unmapped_unit': {
    lacks: 'quantity',
    advice: `${PUBLISH} says where data of this type has the unit, under quantities of the event type. A type of which nothing was accepted yet may be changed. If this one may not, declare a type of another name, take these events back, and send the usage as that type.`,
  },
  'held/unreadable': {
    lacks: 'readable data',
    advice:
      'take these events back, and send the usage under new ids, in the form that the event type asks for.',
  },
  'held/missing_unit': {
    lacks: 'unit',
    advice: 'take these events back, and send the usage with the unit under new ids.',
  },
}

/** What to do, so that the events are billed: one sentence or two, beginning with a small letter. */
export function heldAdvice(code: HeldCode): string {
  return WORDS[code].advice
}

/** `operation`, `price`: what is missing. A code of a newer server is shown as it is. */
export function heldLack(code: string): string {
  return Object.hasOwn(WORDS, code) ? WORDS[code as HeldCode].lacks : code
}
