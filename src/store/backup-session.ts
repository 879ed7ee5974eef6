import type pg from 'pg'

/**
 * A session in a transaction that may be left in the middle of a COPY. A rollback would wait behind that for ever, so
 * the session is closed instead, and the database takes everything back.
 */
export interface BackupSession {
  readonly client: pg.PoolClient
  /** What is read until the end of a part is not locked after it. */
  beginPart(): Promise<void>
  endPart(): Promise<void>
  commit(): Promise<void>
  /** Unless it was committed. Can be called twice, and after the commit. */
  hangUp(): void
}

export async function openBackupSession(pool: pg.Pool): Promise<BackupSession> {
  const client = await pool.connect()
  let open = true
  const hangUp = () => {
    if (open) client.release(true)
    open = false
  }
  try {
    await client.query('begin')
  } catch (error) {
    hangUp()
    throw error
  }
  return {
    client,
    async beginPart() {
      await client.query('savepoint part')
    },
    async endPart() {
      await client.query('rollback to savepoint part; release savepoint part')
    },
    async commit() {
      await client.query('commit')
      open = false
      client.release()
    },
    hangUp,
  }
}
