import type { Hour } from '../core/time/hour.ts'
import type { Instant } from '../core/time/instant.ts'
import type { Tile, TileName } from '../core/log/tiles.ts'
import type { Query } from './query.ts'

/** One appender at a time, in whatever process, until the end of its transaction. @returns false: another one is at it */
export const lockLog: Query<void, { held: boolean }, boolean> = {
  name: 'lock_log',
  text: `select pg_try_advisory_xact_lock(hashtext('farthing.log')) as held`,
  values: () => [],
  decode: ({ held }) => held,
}

/** The same, for those who wait. */
export const awaitLog: Query<void, never, void> = {
  name: 'await_log',
  text: `select pg_advisory_xact_lock(hashtext('farthing.log'))`,
  values: () => [],
  decode: () => undefined,
}

export interface LogTree {
  readonly tree: number
  readonly origin: string
  readonly size: number
  /** Leaves below it were issued before there was a log. */
  readonly adopted: number
  readonly begunAt: Instant
  /** Of a tree that continues another one: the text of its first leaf. */
  readonly continues: string | null
}

interface RawTree {
  tree: number
  origin: string
  size: string
  adopted: string
  begun_at: Date
  continues: string | null
}

function decodeTree(raw: RawTree): LogTree {
  return {
    tree: raw.tree,
    origin: raw.origin,
    size: Number(raw.size),
    adopted: Number(raw.adopted),
    begunAt: raw.begun_at.getTime() as Instant,
    continues: raw.continues,
  }
}

/** The trees of the log, the newest first; only this one, if it is named. */
export const listLogTrees: Query<{ readonly tree: number | null }, RawTree, LogTree> = {
  name: 'list_log_trees',
  text: `
    select tree, origin, size, adopted, begun_at, continues
      from log_tree
     where $1::int is null or tree = $1
     order by tree desc`,
  values: ({ tree }) => [tree],
  decode: decodeTree,
}

export type InsertLogTree = Pick<LogTree, 'tree' | 'origin' | 'adopted' | 'continues'>

export const insertLogTree: Query<InsertLogTree, never, void> = {
  name: 'insert_log_tree',
  text: `insert into log_tree (tree, origin, adopted, continues) values ($1, $2, $3, $4)`,
  values: ({ tree, origin, adopted, continues }) => [tree, origin, adopted, continues],
  decode: () => undefined,
}

/** How many leaves were issued before there was a log: the first ones. */
export const findAdoptedLeaves: Query<void, { log_adopted: string }, number> = {
  name: 'find_adopted_leaves',
  text: `select log_adopted from deployment`,
  values: () => [],
  decode: ({ log_adopted }) => Number(log_adopted),
}

export const updateLogSize: Query<Pick<LogTree, 'tree' | 'size'>, never, void> = {
  name: 'update_log_size',
  text: `update log_tree set size = $2 where tree = $1 and size < $2`,
  values: ({ tree, size }) => [tree, size],
  decode: () => undefined,
}

export interface ListLogTiles {
  readonly tree: number
  readonly names: readonly TileName[]
}

interface RawTile {
  level: number
  number: string
  hashes: Buffer
}

/** Tiles by their key. Those that are missing are left out. */
export const listLogTiles: Query<ListLogTiles, RawTile, Tile> = {
  name: 'list_log_tiles',
  text: `
    select t.level, t.number, t.hashes
      from unnest($2::smallint[], $3::bigint[]) as k (level, number)
      join log_tile t on t.tree = $1 and t.level = k.level and t.number = k.number`,
  values: ({ tree, names }) => [tree, names.map(({ level }) => level), names.map(({ number }) => number)],
  decode: (raw) => ({ ...raw, number: Number(raw.number) }),
}

/** Store tiles that are new, or have more hashes than before. */
export const upsertLogTiles: Query<{ readonly tree: number; readonly tiles: readonly Tile[] }, never, void> =
  {
    name: 'upsert_log_tiles',
    text: `
    insert into log_tile (tree, level, number, hashes)
    select $1, level, number, hashes
      from unnest($2::smallint[], $3::bigint[], $4::bytea[]) as k (level, number, hashes)
        on conflict (tree, level, number) do update set hashes = excluded.hashes
     where length(excluded.hashes) > length(log_tile.hashes)`,
    values: ({ tree, tiles }) => [
      tree,
      tiles.map(({ level }) => level),
      tiles.map(({ number }) => number),
      tiles.map(({ hashes }) => Buffer.from(hashes)),
    ],
    decode: () => undefined,
  }

export interface LogCheckpoint {
  readonly tree: number
  readonly size: number
  readonly root: Buffer
  readonly at: Instant
  readonly hour: Hour | null
  /** The signed note; null: it is not signed. */
  readonly note: string | null
}

interface RawCheckpoint {
  tree: number
  size: string
  root: Buffer
  at: Date
  hour: Hour | null
  note: string | null
}

function decodeCheckpoint(raw: RawCheckpoint): LogCheckpoint {
  return { ...raw, size: Number(raw.size), at: raw.at.getTime() as Instant }
}

export const insertLogCheckpoint: Query<
  Pick<LogCheckpoint, 'tree' | 'size' | 'root' | 'hour'>,
  never,
  void
> = {
  name: 'insert_log_checkpoint',
  text: `insert into log_checkpoint (tree, size, root, hour) values ($1, $2, $3, $4)`,
  values: ({ tree, size, root, hour }) => [tree, size, root, hour],
  decode: () => undefined,
}

/** The newest checkpoint of a tree; of those that are signed, if it is asked so. */
export const findNewestCheckpoint: Query<
  { readonly tree: number; readonly signed: boolean },
  RawCheckpoint,
  LogCheckpoint
> = {
  name: 'find_newest_checkpoint',
  text: `
    select tree, size, root, at, hour, note
      from log_checkpoint
     where tree = $1 and (note is not null or not $2)
     order by size desc
     limit 1`,
  values: ({ tree, signed }) => [tree, signed],
  decode: decodeCheckpoint,
}

/** For how long the newest checkpoint of a tree has been there, by the database's clock; none: there is none. */
export const findCheckpointAge: Query<
  { readonly tree: number },
  { age: string; size: string },
  { readonly ageMs: number; readonly size: number }
> = {
  name: 'find_checkpoint_age',
  text: `
    select floor(extract(epoch from clock_timestamp() - at) * 1000)::bigint as age, size
      from log_checkpoint
     where tree = $1
     order by size desc
     limit 1`,
  values: ({ tree }) => [tree],
  decode: ({ age, size }) => ({ ageMs: Number(age), size: Number(size) }),
}

/** Checkpoints of a tree that are not signed, the newest first. Uses the index log_checkpoint_unsigned. */
export const listUnsignedCheckpoints: Query<
  { readonly tree: number; readonly limit: number },
  RawCheckpoint,
  LogCheckpoint
> = {
  name: 'list_unsigned_checkpoints',
  text: `
    select tree, size, root, at, hour, note
      from log_checkpoint
     where tree = $1 and note is null
     order by size desc
     limit $2`,
  values: ({ tree, limit }) => [tree, limit],
  decode: decodeCheckpoint,
}

/** Sign a checkpoint, or add signatures of witnesses to it. */
export const updateCheckpointNote: Query<
  { readonly tree: number; readonly size: number; readonly note: string },
  never,
  void
> = {
  name: 'update_checkpoint_note',
  text: `update log_checkpoint set note = $3 where tree = $1 and size = $2`,
  values: ({ tree, size, note }) => [tree, size, note],
  decode: () => undefined,
}

export interface LogKey {
  readonly publicKey: Buffer
  readonly isRetired: boolean
}

/** What may sign a tree, the oldest first. */
export const listLogKeys: Query<
  { readonly tree: number },
  { public_key: Buffer; is_retired: boolean },
  LogKey
> = {
  name: 'list_log_keys',
  text: `
    select public_key, retired_at is not null as is_retired
      from log_key
     where tree = $1
     order by added_at, public_key`,
  values: ({ tree }) => [tree],
  decode: (raw) => ({ publicKey: raw.public_key, isRetired: raw.is_retired }),
}

type KeysOfTree = { readonly tree: number; readonly publicKeys: readonly Buffer[] }

export const insertLogKeys: Query<KeysOfTree, never, void> = {
  name: 'insert_log_keys',
  text: `insert into log_key (tree, public_key) select $1, key from unnest($2::bytea[]) as key`,
  values: ({ tree, publicKeys }) => [tree, publicKeys],
  decode: () => undefined,
}

/** Keys sign no more: a newer one does. */
export const retireLogKeys: Query<KeysOfTree, never, void> = {
  name: 'retire_log_keys',
  text: `
    update log_key set retired_at = clock_timestamp()
     where tree = $1 and public_key = any ($2::bytea[]) and retired_at is null`,
  values: ({ tree, publicKeys }) => [tree, publicKeys],
  decode: () => undefined,
}
