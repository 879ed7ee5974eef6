import { HASH_BYTES, type HashBytes, nodeHash } from './tree-hash.ts'
import { rootOf, type Tile, type TileName, TILE_WIDTH, type TileOf } from './tiles.ts'

/** The rightmost tiles of a tree, one a level: what is needed to append to it. Levels that have no hash yet have none. */
export function edgeTiles(size: number): readonly TileName[] {
  const names: TileName[] = []
  for (let level = 0, hashes = size; hashes > 0; level++) {
    if (hashes % TILE_WIDTH > 0) names.push({ level, number: Math.floor(hashes / TILE_WIDTH) })
    hashes = Math.floor(hashes / TILE_WIDTH)
  }
  return names
}

/** A tree that leaves are appended to. It knows its rightmost tiles, and those that have changed. */
export class GrowingTree {
  readonly #hash: HashBytes
  /** By level: the tile that is being filled, with room for all of its hashes. */
  readonly #edge: { bytes: Uint8Array; hashes: number }[] = []
  readonly #changed = new Map<string, Tile>()
  #size: number

  /** @param tileOf gives the tiles that `edgeTiles` names */
  constructor(size: number, tileOf: TileOf, hash: HashBytes) {
    this.#hash = hash
    this.#size = size
    for (const { level, number } of edgeTiles(size)) {
      const tile = tileOf({ level, number })
      const hashes = Math.floor(size / TILE_WIDTH ** level) % TILE_WIDTH
      if (tile === undefined || tile.length < hashes * HASH_BYTES) throw new Error('the log lacks a tile')
      const bytes = new Uint8Array(TILE_WIDTH * HASH_BYTES)
      bytes.set(tile.subarray(0, hashes * HASH_BYTES))
      this.#edge[level] = { bytes, hashes }
    }
  }

  get size(): number {
    return this.#size
  }

  append(leaf: Uint8Array): void {
    this.#size += 1
    this.#put(0, leaf)
  }

  #put(level: number, hash: Uint8Array): void {
    const tile = (this.#edge[level] ??= { bytes: new Uint8Array(TILE_WIDTH * HASH_BYTES), hashes: 0 })
    tile.bytes.set(hash, tile.hashes * HASH_BYTES)
    tile.hashes += 1
    const number = Math.ceil(this.#size / TILE_WIDTH ** (level + 1)) - 1
    const hashes = tile.bytes.subarray(0, tile.hashes * HASH_BYTES)
    this.#changed.set(`${level}/${number}`, { level, number, hashes })
    if (tile.hashes < TILE_WIDTH) return
    this.#edge[level] = { bytes: new Uint8Array(TILE_WIDTH * HASH_BYTES), hashes: 0 }
    this.#put(level + 1, this.#folded(hashes))
  }

  /** The hash of the subtree that a full tile is. */
  #folded(hashes: Uint8Array): Uint8Array {
    let row = Array.from({ length: TILE_WIDTH }, (_, at) =>
      hashes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES),
    )
    while (row.length > 1) {
      row = Array.from({ length: row.length / 2 }, (_, at) =>
        nodeHash(row[2 * at]!, row[2 * at + 1]!, this.#hash),
      )
    }
    return row[0]!
  }

  /** Of all leaves so far. */
  root(): Uint8Array {
    return rootOf(this.#size, (name) => this.#edge[name.level]?.bytes, this.#hash)
  }

  /** From now on, `changed` are those that change after this. */
  forgetChanged(): void {
    this.#changed.clear()
  }

  /** The tiles that are new or have more hashes than before, as they are now. */
  get changed(): readonly Tile[] {
    return [...this.#changed.values()]
  }
}
