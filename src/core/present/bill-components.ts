import type { Component, PriceBook } from '../rate/price-book/price-book.ts'

/** The parts of a bill (R2), as customers know them. */
export const COMPONENT_TITLES: Readonly<Record<Component, string>> = {
  request: 'Request fees',
  processing: 'Data processing fees',
  storage: 'Index storage fees',
}

const COMPONENTS = Object.keys(COMPONENT_TITLES) as readonly Component[]

/** Those that a price book has items for. */
export function componentsOf(...books: readonly PriceBook[]): ReadonlySet<Component> {
  return new Set(books.flatMap(({ rates }) => rates.map(({ component }) => component)))
}

/** What a bill or a list of them says of its components. */
export interface ComponentAmounts {
  readonly components: Readonly<Record<Component, string>>
}

/**
 * The components that a reader is shown, in order: those of the business, and what came to an amount all the same.
 * @param sold by the price book; undefined when it is not at hand, which shows all
 */
export function shownComponents(
  bills: readonly ComponentAmounts[],
  sold: ReadonlySet<Component> | undefined,
): readonly Component[] {
  return COMPONENTS.filter(
    (component) =>
      !sold || sold.has(component) || bills.some(({ components }) => components[component] !== '0'),
  )
}
