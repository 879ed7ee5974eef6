import type pg from 'pg'
import type { Sql } from './query.ts'

/**
 * Run `work` in one READ COMMITTED transaction and commit. Whatever it throws rolls back and comes out again;
 * a connection on which the rollback fails too is closed, not reused.
 * @param work is given the rows of the last statement of `begin`
 * @param begin a constant that begins with `begin`, and may go on with further statements in the same message
 */
export async function transaction<Result>(
  pool: pg.Pool,
  work: (client: pg.PoolClient, begun: readonly unknown[]) => Promise<Result>,
  begin = 'begin',
): Promise<Result> {
  const client = await pool.connect()
  try {
    const begun: pg.QueryResult | pg.QueryResult[] = await client.query(begin)
    const result = await work(client, [begun].flat().at(-1)!.rows)
    await client.query('commit')
    client.release()
    return result
  } catch (error) {
    const broken = await client.query('rollback').then(
      () => false,
      () => true,
    )
    client.release(broken)
    if (broken && error instanceof Error) ofLostSessions.add(error)
    throw error
  }
}

/**
 * Ask questions in a transaction, and let go of the locks that they took: each partition that a transaction has read stays
 * locked to its end, and a database has room for some thousand of all sessions together. What was seen stays as it was: a
 * rollback to a savepoint keeps the snapshot. Outside of a transaction nothing stays locked anyway.
 * @param work reads only
 */
export async function releasingLocks<Result>(sql: Sql, work: () => Promise<Result>): Promise<Result> {
  if (isPool(sql)) return work()
  await sql.query('savepoint reading', [])
  const result = await work()
  await sql.query('rollback to savepoint reading; release savepoint reading', [])
  return result
}

/** Does each statement have a session and a transaction of its own? */
export function isPool(sql: Sql): sql is pg.Pool {
  return 'totalCount' in sql
}

const ofLostSessions = new WeakSet<Error>()

/** Did a transaction end with this error because its session has gone? Then the error says nothing about its data. */
export function lostItsSession(error: unknown): boolean {
  return error instanceof Error && ofLostSessions.has(error)
}

/**
 * A part of a transaction: what it throws undoes this part, not the rest.
 * @returns what it threw, if it is to be told apart from the transaction's own failure; that is thrown
 */
export async function attempt(
  client: pg.PoolClient,
  work: () => Promise<void>,
): Promise<{ readonly error: unknown } | undefined> {
  await client.query('savepoint part')
  try {
    await work()
    await client.query('release savepoint part')
    return undefined
  } catch (error) {
    const undone = await client.query('rollback to savepoint part').then(
      () => true,
      () => false,
    )
    if (!undone) throw error
    return { error }
  }
}

/** The SQLSTATE of a database error, for example 23505; undefined for other errors. */
export function sqlState(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined
}
