import { widthOf } from './text-width.ts'

export interface Column {
  /** Empty for the signs between the numbers of a formula. */
  readonly heading: string
  /** `decimal` puts the points of all cells below each other. */
  readonly align: 'left' | 'right' | 'decimal'
  /** Blanks before it: 2 if not given. */
  readonly gap?: number
  /** May be cut on a narrow terminal. Names only: a number is never cut. */
  readonly shrinks?: true
  /** Words that may go on in the next line. */
  readonly wraps?: true
  /** Left out on a terminal that is too narrow: the highest number first. */
  readonly drops?: number
}

/** The columns that are shown, by their place, and how wide each is. */
export interface Fit {
  readonly shown: readonly number[]
  readonly widths: readonly number[]
}

const GAP = 2
/** First columns are left out before names get narrower than this … */
const SHRUNK_WELL = 16
/** … and then names are cut to this. Less says nothing. */
const SHRUNK_MIN = 8

/**
 * Make columns fit a width: names are cut and words wrapped as far as that is readable, then columns are left out, then
 * names are cut further.
 * @param widths that the columns would like
 * @returns undefined when nothing helps
 */
export function fitColumns(
  columns: readonly Column[],
  widths: readonly number[],
  widthMax: number,
): Fit | undefined {
  const levels = [...new Set(columns.flatMap(({ drops }) => drops ?? []))].toSorted((a, b) => b - a)
  for (const least of [SHRUNK_WELL, SHRUNK_MIN]) {
    for (const below of [Number.POSITIVE_INFINITY, ...levels]) {
      const shown = [...columns.keys()].filter((at) => (columns[at]!.drops ?? 0) < below)
      const fitted = shrink(columns, shown, { widths, widthMax, least })
      if (fitted) return { shown, widths: fitted }
    }
  }
  return undefined
}

export function gapOf({ gap }: Column, isFirst: boolean): number {
  return gap ?? (isFirst ? 0 : GAP)
}

interface Room {
  readonly widths: readonly number[]
  readonly widthMax: number
  readonly least: number
}

/** The widths of the shown columns when they are to fit: the widest gives way first, so that short names stay whole. */
function shrink(
  columns: readonly Column[],
  shown: readonly number[],
  { widths, widthMax, least }: Room,
): readonly number[] | undefined {
  const fitted = shown.map((at) => widths[at]!)
  const leasts = shown.map((at) => leastOf(columns[at]!, widths[at]!, least))
  const gaps = shown.map((at, index) => gapOf(columns[at]!, index === 0))
  let excess = [...fitted, ...gaps].reduce((sum, width) => sum + width, 0) - widthMax
  while (excess > 0) {
    const widest = fitted
      .map((width, index) => ({ index, width: width > leasts[index]! ? width : 0 }))
      .reduce((a, b) => (b.width > a.width ? b : a))
    if (widest.width === 0) return undefined
    fitted[widest.index]! -= 1
    excess -= 1
  }
  return fitted
}

function leastOf({ heading, shrinks, wraps }: Column, width: number, least: number): number {
  return shrinks || wraps ? Math.min(width, Math.max(least, widthOf(heading))) : width
}
