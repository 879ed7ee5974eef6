import { setTimeout as sleep } from 'node:timers/promises'
import type { ImportStatus } from '../../api/imports.ts'
import { ApiRefused, NoAnswer, type ServerApi } from '../client/server-api.ts'

/** Asking again costs the server little, and nobody notices half a second. */
const POLL_MS = 500
/** Hours to which others write too are sealed when they are quiet, which may be never: they are not waited for. */
const SHARED_PATIENCE_MS = 10_000
/** A server that is restarted meanwhile is asked again for this long. */
const AWAY_PATIENCE_MS = 60_000

export interface WaitOptions {
  readonly signal: AbortSignal
  /** @param all account-hours that were to be waited for, and how many of them are done */
  readonly onProgress: (done: number, all: number) => void
}

/**
 * Tell the server that an import has ended, so that it seals the past hours that the import alone wrote, and wait
 * until they have their bills.
 * @param name of the import, as its deliveries carried it
 * @returns what is left: nothing, or hours to which others write too; undefined if the key may not do this
 */
export async function waitForBills(
  api: ServerApi,
  name: string,
  { signal, onProgress }: WaitOptions,
): Promise<ImportStatus | undefined> {
  let status = await endImport(api, name, signal)
  if (!status) return undefined
  const all = left(status)
  const mayWaitUntil = performance.now() + SHARED_PATIENCE_MS
  let awaySince: number | undefined
  while (status.settling > 0 || (status.open > 0 && performance.now() < mayWaitUntil)) {
    onProgress(all - left(status), all)
    await sleep(POLL_MS, undefined, { signal })
    try {
      status = await api.json('GET /v1/imports/:name', { params: { name }, signal })
      awaySince = undefined
    } catch (error) {
      awaySince ??= performance.now()
      if (!isAway(error) || performance.now() - awaySince > AWAY_PATIENCE_MS) throw error
    }
  }
  return status
}

function left({ settling, open }: ImportStatus): number {
  return settling + open
}

async function endImport(
  api: ServerApi,
  name: string,
  signal: AbortSignal,
): Promise<ImportStatus | undefined> {
  try {
    return await api.json('POST /v1/imports/:name/end', { params: { name }, signal })
  } catch (error) {
    // A key of one account has no say in when hours are sealed.
    if (error instanceof ApiRefused && error.code === 'auth/bound_key') return undefined
    throw error
  }
}

function isAway(error: unknown): boolean {
  return error instanceof NoAnswer || (error instanceof ApiRefused && [429, 503].includes(error.status))
}
