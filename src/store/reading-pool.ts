import type pg from 'pg'
import { type Connection, makePool, type PoolOptions } from './connect.ts'

export type Pool = pg.Pool

/** No answer takes longer; a caller that asks for more is told to ask for less. */
export const READING_TIMEOUT_MS = 30_000

/** Nobody waits longer for a key or a probe: neither for a session, nor for the answer. */
export const PROBE_TIMEOUT_MS = 5_000

/**
 * A pool for answering questions: its sessions cannot write, and give up after 30 s. Apart from the pool that
 * ingest uses, so that no question can make usage wait.
 */
export function makeReadingPool(connection: Connection, options: PoolOptions): Pool {
  return makeReadOnlyPool(connection, options, READING_TIMEOUT_MS)
}

/** A pool for looking up keys and answering probes, apart from questions. It also gives up on a server that is silent. */
export function makeProbePool(connection: Connection, options: PoolOptions): Pool {
  const patient = {
    ...connection,
    query_timeout: PROBE_TIMEOUT_MS,
    connectionTimeoutMillis: PROBE_TIMEOUT_MS,
  }
  return makeReadOnlyPool(patient, options, PROBE_TIMEOUT_MS)
}

function makeReadOnlyPool(connection: Connection, options: PoolOptions, timeoutMs: number): Pool {
  const settings = {
    ...options.settings,
    default_transaction_read_only: 'on',
    statement_timeout: String(timeoutMs),
  }
  return makePool(connection, { ...options, settings })
}
