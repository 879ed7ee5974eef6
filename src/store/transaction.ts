import type pg from 'pg'

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
    throw error
  }
}

/** The SQLSTATE of a database error, for example 23505; undefined for other errors. */
export function sqlState(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined
}
