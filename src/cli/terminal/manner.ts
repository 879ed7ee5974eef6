/** How this command writes: what the options that all commands have say. */
export interface Manner {
  /** No progress and no remarks: results and errors alone. */
  readonly quiet: boolean
  readonly colours: boolean
  /** Lists are as wide as they need, whatever the terminal is. */
  readonly wide: boolean
}

const USUAL: Manner = { quiet: false, colours: true, wide: false }

let manner = USUAL

/** Known before a command begins, and the same until it ends: so it is not passed from hand to hand. */
export function setManner(said: Partial<Manner>): void {
  manner = { ...USUAL, ...said }
}

export function mannerNow(): Manner {
  return manner
}
