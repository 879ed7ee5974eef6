import { rootOf, type TileName, type TileOf, tilesOfRanges } from '../../core/log/tiles.ts'
import { listLogTiles } from '../../store/log-trees.ts'
import { run, type Sql } from '../../store/query.ts'
import { hashBytes } from './hash-bytes.ts'

/** Some tiles of a tree, at once. */
export async function readTiles(sql: Sql, tree: number, names: readonly TileName[]): Promise<TileOf> {
  const tiles = new Map<string, Uint8Array>()
  if (names.length > 0) {
    for (const { level, number, hashes } of await run(sql, listLogTiles, { tree, names }))
      tiles.set(`${level}/${number}`, hashes)
  }
  return ({ level, number }) => tiles.get(`${level}/${number}`)
}

/** The root that the first `size` leaves of a tree have, by its tiles. */
export async function readRoot(sql: Sql, tree: number, size: number): Promise<Uint8Array> {
  const names = size === 0 ? [] : tilesOfRanges([{ from: 0, to: size }])
  return rootOf(size, await readTiles(sql, tree, names), hashBytes)
}
