/** A named, typed SQL statement. One statement a constant, one subject a file; only `store/` holds SQL. */
export interface Query<Params, Raw, Row> {
  /** Sent as a comment, to find the statement again in the server's log. */
  readonly name: string
  /** Constant: values travel as $1, $2, … so that no value can become SQL. */
  readonly text: string
  values(params: Params): readonly unknown[]
  /** From the driver's row to a domain value. Statements leave numeric and bigint as text. */
  decode(raw: Raw): Row
}

/** What we need of a driver: satisfied by a pg pool, a client, and a transaction. */
export interface Sql {
  query(text: string, values: unknown[]): Promise<{ rows: unknown[] }>
}

/** Run a statement; all rows at once, so its text or its parameters must bound their number. */
export async function run<Params, Raw, Row>(
  sql: Sql,
  query: Query<Params, Raw, Row>,
  params: Params,
): Promise<readonly Row[]> {
  const { rows } = await sql.query(`/* ${query.name} */ ${query.text}`, [...query.values(params)])
  return rows.map((raw) => query.decode(raw as Raw))
}

/** The first row, or undefined. */
export async function runOne<Params, Raw, Row>(
  sql: Sql,
  query: Query<Params, Raw, Row>,
  params: Params,
): Promise<Row | undefined> {
  return (await run(sql, query, params))[0]
}
