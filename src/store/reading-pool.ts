import type pg from 'pg'
import { type Connection, makePool, type PoolOptions } from './connect.ts'

export type Pool = pg.Pool

/** No answer takes longer; a caller that asks for more is told to ask for less. */
export const READING_TIMEOUT_MS = 30_000

/**
 * A pool for answering questions: its sessions cannot write, and give up after 30 s. Apart from the pool that
 * ingest uses, so that no question can make usage wait.
 */
export function makeReadingPool(connection: Connection, options: PoolOptions): Pool {
  const settings = {
    ...options.settings,
    default_transaction_read_only: 'on',
    statement_timeout: String(READING_TIMEOUT_MS),
  }
  return makePool(connection, { ...options, settings })
}
