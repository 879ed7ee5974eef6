import type { JsonFault } from './json-faults.ts'

/** Characters of a number, of a key and of a place that a message repeats. */
const NUMBER_SHOWN = 40
const KEY_SHOWN = 60
const PLACE_SHOWN = 120

/** Keys that need no quotes. */
const WORD = /^[A-Za-z0-9_:-]{1,60}$/

/**
 * One sentence for the sender: the place, what is wrong, the fix.
 * @param whole what the outermost value is, where that is the place: `The event`
 */
export function sayFault({ kind, path, text }: JsonFault, whole: string): string {
  const place = path.length === 0 ? whole : placeOf(path)
  if (kind === 'repeated_key') return `${place} is there more than once: send each key once.`
  const number = shortened(text, NUMBER_SHOWN)
  return `${place} is the JSON number ${number}, which a 64-bit float cannot hold exactly: send it as a string.`
}

/** `data.items[3].size`: other keys than words are quoted. */
function placeOf(path: JsonFault['path']): string {
  const steps = path.map((step, at) => {
    if (typeof step === 'number') return `[${step}]`
    const name = WORD.test(step) ? step : quoted(shortened(step, KEY_SHOWN))
    return at === 0 ? name : `.${name}`
  })
  return shortened(steps.join(''), PLACE_SHOWN).toWellFormed()
}

function shortened(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most)}…`
}

/** Foreign text in quotes, with no control character that could reach a terminal. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd')
}
