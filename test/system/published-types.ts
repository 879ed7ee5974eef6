import type { TestServer } from './http-server.ts'

/** A declaration of an event type that takes its quantity from a member of the data, or counts events. */
export function typeOf(operation: string, unit: string, quantity: string | number): object {
  return { component: 'processing', operation, quantities: { [unit]: quantity } }
}

export function itemOf(rates: object): object {
  return { component: 'processing', rates }
}

/** A rate of 0.5 for each. */
export function rateOf(operation: string, unit: string): object {
  const prices = [{ from: '2020-01-01T00:00:00Z', price: '0.5' }]
  return { operations: [operation], unit, per: 1, prices }
}

/** The newest price book with these event types, and these items beside its own. */
export async function publishTypes(server: TestServer, eventTypes: object, items: object): Promise<void> {
  const { json } = await server.ask('/v1/price-book')
  const book = json.book as { readonly items: object }
  const next = { ...book, eventTypes, items: { ...book.items, ...items } }
  const init = { method: 'POST', body: JSON.stringify(next), type: 'application/yaml' }
  const answer = await server.ask('/v1/price-book', init)
  if (answer.status >= 300) throw new Error(answer.text)
}
