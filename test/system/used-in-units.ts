type Row = Readonly<Record<string, unknown>>

/** Rows of `GET /v1/usage`, each of its units by itself. */
export function inUnits<Item = Record<string, string>>(rows: readonly Row[]): Item[] {
  return rows.flatMap(({ quantities, ...row }) =>
    (quantities as readonly Row[]).map((used) => ({ ...row, ...used }) as Item),
  )
}
