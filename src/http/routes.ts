import { postEvents } from './events/post-events.ts'
import type { Route } from './route.ts'
import { getBill, getBillLines, getBills } from './routes/bills.ts'
import { getCycles } from './routes/cycles.ts'
import { getEvents } from './routes/events.ts'
import { getHealth, getMetrics, getOpenapi, getReadiness } from './routes/health.ts'
import { getImport, postImportEnd } from './routes/imports.ts'
import { deleteKey, getKeys, postKey } from './routes/keys.ts'
import { getLineEvents } from './routes/line-events.ts'
import { getNewestPriceBook, getPriceBook } from './routes/price-book.ts'
import { getHeldEvents, getHeldGroups, getRefusedEvents } from './routes/unbilled.ts'
import { getUsage } from './routes/usage.ts'

/** Every route of the API, in the order of openapi.json. */
export const ROUTES: readonly Route[] = [
  postEvents,
  getEvents,
  postImportEnd,
  getImport,
  getUsage,
  getBills,
  getBill,
  getBillLines,
  getLineEvents,
  getCycles,
  getHeldGroups,
  getHeldEvents,
  getRefusedEvents,
  getNewestPriceBook,
  getPriceBook,
  getKeys,
  postKey,
  deleteKey,
  getHealth,
  getReadiness,
  getMetrics,
  getOpenapi,
]
