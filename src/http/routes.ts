import { postEvents } from './routes/post-events.ts'
import { postLagoBatch } from './compat/lago-events.ts'
import { postCompatEvents, postOpenmeterEvents } from './compat/openmeter-events.ts'
import { getMeter, getMeters } from './compat/openmeter-meters.ts'
import { getMeterQuery, postMeterQuery } from './compat/openmeter-query.ts'
import { postStripeMeterEvent } from './compat/stripe-meter-events.ts'
import type { Route } from './route.ts'
import { getAccount, getAccounts, putAccountRoute } from './routes/accounts.ts'
import { getAuditLog } from './routes/audit.ts'
import { getBillProof, getCheckpoint, getLog, getLogTile } from './routes/log.ts'
import { getBill, getBillLines, getBills } from './routes/bills.ts'
import { getCycles } from './routes/cycles.ts'
import { getEvents } from './routes/events.ts'
import { getFocusCharges, getExportedLines } from './routes/exports.ts'
import { getHealth, getMetrics, getOpenapi, getReadiness } from './routes/health.ts'
import { getImport, postImportEnd } from './routes/imports.ts'
import { deleteKey, getKeys, postKey } from './routes/keys.ts'
import { getHourSources } from './routes/hour-sources.ts'
import { getLineEvents } from './routes/line-events.ts'
import { getManifests, postManifest } from './routes/manifests.ts'
import { postPriceBook } from './routes/post-price-book.ts'
import { getPriceList, getPriceLists, postPriceList } from './routes/price-lists.ts'
import { getNewestPriceBook, getPriceBook } from './routes/price-book.ts'
import { getPriceVersionDiff, getPriceVersions } from './routes/price-versions.ts'
import { getHeldEvents, getHeldGroups, getRefusalCounts, getRefusedEvents } from './routes/unbilled.ts'
import { getSilentSources, postAcknowledgement } from './routes/silent-sources.ts'
import { getSources } from './routes/sources.ts'
import { getStorage } from './routes/storage.ts'
import { getUsage } from './routes/usage.ts'
import { getVoids, postVoids } from './routes/voids.ts'

/** Every route of the API, in the order of openapi.json. */
export const ROUTES: readonly Route[] = [
  postEvents,
  getEvents,
  postImportEnd,
  getImport,
  getUsage,
  getStorage,
  getBills,
  getBill,
  getBillLines,
  getBillProof,
  getLog,
  getCheckpoint,
  getLogTile,
  getLineEvents,
  getFocusCharges,
  getExportedLines,
  getCycles,
  getHourSources,
  getSources,
  getSilentSources,
  postAcknowledgement,
  getManifests,
  postManifest,
  getHeldGroups,
  getHeldEvents,
  getRefusedEvents,
  getRefusalCounts,
  getVoids,
  postVoids,
  getNewestPriceBook,
  getPriceBook,
  getPriceVersions,
  getPriceVersionDiff,
  postPriceBook,
  getPriceLists,
  getPriceList,
  postPriceList,
  getAccounts,
  getAccount,
  putAccountRoute,
  getKeys,
  postKey,
  deleteKey,
  getAuditLog,
  getHealth,
  getReadiness,
  getMetrics,
  getOpenapi,
  postCompatEvents,
  postOpenmeterEvents,
  getMeters,
  getMeter,
  getMeterQuery,
  postMeterQuery,
  postLagoBatch,
  postStripeMeterEvent,
]
