/**
 * Rows of a text table, by column name: a test's specification that anyone can read.
 *
 *   quantity | amount
 *   10       | 0.28
 *
 * Cells are trimmed; an empty cell is "". Empty lines are skipped.
 */
export function table<Column extends string>(text: string): readonly Record<Column, string>[] {
  const [head, ...rows] = text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.split('|').map((cell) => cell.trim()))
  if (head === undefined) throw new Error('a table begins with the names of its columns')
  return rows.map((cells) => {
    if (cells.length !== head.length) throw new Error(`not ${head.length} cells: ${cells.join(' | ')}`)
    return Object.fromEntries(head.map((name, at) => [name, cells[at]])) as Record<Column, string>
  })
}
