import { formatHourStart, type Hour, hourOf } from '../../src/core/time/hour.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import { OpenMeter } from '@openmeter/sdk'
import { Client } from 'lago-javascript-client'
import Stripe from 'stripe'
import type { TestServer } from './http-server.ts'
import { itemOf, publishTypes, rateOf, typeOf } from './published-types.ts'
import { inUnits } from './used-in-units.ts'

/** Events of these three, as in docs/clients.md. */
const EVENT_TYPES = {
  prompt: typeOf('Prompt', 'token', 'tokens'),
  api_calls: typeOf('Call', 'call', 1),
  pages: typeOf('Page', 'page', 'value'),
}

export function publishCompatTypes(server: TestServer): Promise<void> {
  return publishTypes(server, EVENT_TYPES, {
    Tokens: itemOf({ default: rateOf('Prompt', 'token') }),
    Calls: itemOf({ default: rateOf('Call', 'call') }),
    Pages: itemOf({ default: rateOf('Page', 'page') }),
  })
}

/** The clients as their users make them. Where a client is, and with which key. */
export interface Place {
  readonly url: string
  readonly key: string
}

export function openmeterAt({ url, key }: Place): OpenMeter {
  return new OpenMeter({ baseUrl: url, apiKey: key })
}

/** @param config further options, as the package has them */
export function lagoAt({ url, key }: Place, config: Parameters<typeof Client>[1] = {}) {
  return Client(key, { baseUrl: `${url}/api/v1`, ...config })
}

/** @param maxNetworkRetries none, unlike the package without it */
export function stripeAt({ url, key }: Place, maxNetworkRetries = 0): Stripe {
  const { hostname, port } = new URL(url)
  return new Stripe(key, { host: hostname, port, protocol: 'http', maxNetworkRetries })
}

/** What an account has used in two days, as `item quantity unit`. */
export async function usedOf(server: TestServer, account: string): Promise<readonly string[]> {
  const now = hourOf(Date.now() as Instant)
  const [from, to] = [-48, 2].map((hours) => formatHourStart((now + hours) as Hour))
  const { json } = await server.ask(
    `/v1/usage?account=${account}&from=${from}&to=${to}&window=month&groupBy=item`,
  )
  return inUnits(json.items).map((row) => `${row['item']} ${row['quantity']} ${row['unit']}`)
}
