import { invariant } from '../invariant.ts'
import type { LeafRange, Subtree } from './subtrees.ts'
import { subtreesOf } from './subtrees.ts'
import { emptyRoot, HASH_BYTES, type HashBytes, nodeHash } from './tree-hash.ts'

/** Levels of the tree that a tile spans: C2SP tlog-tiles. */
export const TILE_HEIGHT = 8
/** Hashes of a full tile. */
export const TILE_WIDTH = 2 ** TILE_HEIGHT

/** A tile: hashes of the subtrees of 256^level leaves, from number x 256 on. */
export interface TileName {
  readonly level: number
  readonly number: number
}

export interface Tile extends TileName {
  /** 1 to 256 hashes, one after the other. */
  readonly hashes: Uint8Array
}

/** Where the tiles of a tree are; undefined: there is no such tile. */
export type TileOf = (name: TileName) => Uint8Array | undefined

/** The tile that the hash of a complete subtree is computed from. */
export function tileOfSubtree({ level, index }: Subtree): TileName {
  const above = level % TILE_HEIGHT
  return { level: Math.floor(level / TILE_HEIGHT), number: Math.floor((index * 2 ** above) / TILE_WIDTH) }
}

/** The tiles that the hashes of some ranges are computed from, each once. */
export function tilesOfRanges(ranges: readonly LeafRange[]): readonly TileName[] {
  const names = new Map<string, TileName>()
  for (const range of ranges)
    for (const subtree of subtreesOf(range)) {
      const name = tileOfSubtree(subtree)
      names.set(`${name.level}/${name.number}`, name)
    }
  return [...names.values()]
}

/** The hash of a complete subtree. @throws when its tile is missing, or too short */
export function subtreeHash(subtree: Subtree, tileOf: TileOf, hash: HashBytes): Uint8Array {
  const name = tileOfSubtree(subtree)
  const width = 2 ** (subtree.level % TILE_HEIGHT)
  const start = (subtree.index * width) % TILE_WIDTH
  const tile = tileOf(name)
  invariant(
    tile !== undefined && tile.length >= (start + width) * HASH_BYTES,
    'the tiles of a tree hold all of its hashes',
  )
  let row = Array.from({ length: width }, (_, at) => hashAt(tile, start + at))
  while (row.length > 1) {
    row = Array.from({ length: row.length / 2 }, (_, at) => nodeHash(row[2 * at]!, row[2 * at + 1]!, hash))
  }
  return row[0]!
}

export function hashAt(tile: Uint8Array, at: number): Uint8Array {
  return tile.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES)
}

/** The hash of a range that is a node of the tree. */
export function rangeHash(range: LeafRange, tileOf: TileOf, hash: HashBytes): Uint8Array {
  const hashes = subtreesOf(range).map((subtree) => subtreeHash(subtree, tileOf, hash))
  return hashes.reduceRight((right, left) => nodeHash(left, right, hash))
}

/** The root of the first `size` leaves: a range of its own. */
export function rootOf(size: number, tileOf: TileOf, hash: HashBytes): Uint8Array {
  return size === 0 ? emptyRoot(hash) : rangeHash({ from: 0, to: size }, tileOf, hash)
}

/**
 * The path of a tile below the log's address, as C2SP tlog-tiles has it: `tile/0/x001/x234/067.p/8`.
 * @param width hashes, or entries; 256 of a full tile
 */
export function tilePath(level: number | 'entries', number: number, width: number): string {
  const digits = String(number).padStart(3, '0')
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0')
  const groups = padded.match(/.{3}/g)!
  const last = groups.pop()!
  const path = [...groups.map((group) => `x${group}`), last].join('/')
  return `tile/${level}/${path}${width === TILE_WIDTH ? '' : `.p/${width}`}`
}

export interface TileRequest {
  readonly level: number | 'entries'
  readonly number: number
  readonly width: number
}

/** Levels that a client may ask for: 256^6 leaves are more than numbers here can count. */
const TILE_LEVELS_MAX = 5
const PATH = /^tile\/(entries|\d)\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/

/** What a path asks for; undefined: it is no path of a tile, or another form of one. */
export function readTilePath(path: string): TileRequest | undefined {
  const [, level, groups, partial] = PATH.exec(path) ?? []
  if (level === undefined || groups === undefined) return undefined
  const number = Number(groups.replaceAll(/[x/]/g, ''))
  const width = partial === undefined ? TILE_WIDTH : Number(partial)
  if (!Number.isSafeInteger(number) || (partial !== undefined && width >= TILE_WIDTH)) return undefined
  if (level !== 'entries' && Number(level) > TILE_LEVELS_MAX) return undefined
  const asked: TileRequest = { level: level === 'entries' ? level : Number(level), number, width }
  // One address for a tile: no leading group of zeros.
  return tilePath(asked.level, number, width) === path ? asked : undefined
}
