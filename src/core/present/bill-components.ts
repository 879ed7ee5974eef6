import type { Component, PriceBook } from '../rate/price-book/price-book.ts'

/** The parts of a bill (R2), as customers know them. */
const COMPONENT_TITLES: Readonly<Record<Component, string>> = {
  request: 'Request fees',
  processing: 'Data processing fees',
  storage: 'Index storage fees',
}

const COMPONENTS = Object.keys(COMPONENT_TITLES) as readonly Component[]

/** The components that a business sells, each with its own heading if it has one. */
export type SoldComponents = ReadonlyMap<Component, string | undefined>

/**
 * Those that a price book has items for.
 * @param books of several versions, the oldest first: the last one names the components
 */
export function componentsOf(...books: readonly PriceBook[]): SoldComponents {
  return new Map(
    books.flatMap(({ rates, headings }) =>
      rates.map(({ component }) => [component, headings.get(component)] as const),
    ),
  )
}

/** What a reader is shown of a component. */
export function headingOf(
  component: Component,
  sold?: SoldComponents,
  titles: Readonly<Record<Component, string>> = COMPONENT_TITLES,
): string {
  return sold?.get(component) ?? titles[component]
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
  sold: Pick<SoldComponents, 'has'> | undefined,
): readonly Component[] {
  return COMPONENTS.filter(
    (component) =>
      !sold || sold.has(component) || bills.some(({ components }) => components[component] !== '0'),
  )
}
