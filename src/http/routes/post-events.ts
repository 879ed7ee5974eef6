import type { IncomingHttpHeaders } from 'node:http'
import { PostEvents } from '../../api/post-events.ts'
import { BODY_BYTES_MAX } from '../body/limits.ts'
import { route } from '../route.ts'
import { takeDelivery } from '../take-delivery.ts'
import { requireName } from './imports.ts'

/** Takes usage. It answers when everything that it counts as accepted is on disk. */
export const postEvents = route({
  ...PostEvents,
  access: { scope: 'usage:write', boundKeys: 'own' },
  bodyBytesMax: BODY_BYTES_MAX,
  handle({ query, ...call }, context) {
    const writer = importOf(call.request.headers)
    return takeDelivery(query.dryRun === 'true' ? 'dry run' : 'events', call, context, writer)
  },
})

/** The import that the delivery belongs to, if it says so. */
function importOf({ 'farthing-import': name }: IncomingHttpHeaders): string | undefined {
  return typeof name === 'string' ? requireName(name) : undefined
}
