import { hash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { edgeTiles, GrowingTree } from '../../src/core/log/grow-tree.ts'
import { consistencyProof, inclusionProof, isConsistent, rootOfInclusion } from '../../src/core/log/proofs.ts'
import { readTilePath, rootOf, type Tile, type TileOf, tilePath } from '../../src/core/log/tiles.ts'
import { type HashBytes, leafHash } from '../../src/core/log/tree-hash.ts'
import { leafOf, mth, path, proof, sha, tile } from './log-oracle.ts'

// Guarantee: trees, tiles and proofs are those of RFC 6962 and C2SP tlog-tiles, however leaves were appended.

const sha256: HashBytes = (bytes) => hash('sha256', bytes, 'buffer')
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

/** The entries and roots that Certificate Transparency tests its logs with. */
const ENTRIES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
]
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

/** Appends leaves in groups, and keeps the tiles as the store does. */
function grown(leaves: readonly Uint8Array[], groups: readonly number[]): Map<string, Uint8Array> {
  const kept = new Map<string, Uint8Array>()
  const tileOf: TileOf = ({ level, number }) => kept.get(`${level}/${number}`)
  let size = 0
  for (const count of [...groups, leaves.length]) {
    const tree = new GrowingTree(size, tileOf, sha256)
    for (const leaf of leaves.slice(size, size + count)) tree.append(leaf)
    for (const { level, number, hashes } of tree.changed) kept.set(`${level}/${number}`, Buffer.from(hashes))
    size = tree.size
    expect(hex(tree.root())).toBe(hex(mth(leaves.slice(0, size).map((leaf) => Buffer.from(leaf)))))
  }
  return kept
}

test('the roots of the entries of Certificate Transparency are the known ones', () => {
  const leaves = ENTRIES.map((entry) => leafHash(Buffer.from(entry, 'hex'), sha256))
  ROOTS.forEach((root, size) => {
    const tree = new GrowingTree(0, () => undefined, sha256)
    for (const leaf of leaves.slice(0, size)) tree.append(leaf)
    expect([size, hex(tree.root())]).toEqual([size, root])
  })
  expect(leaves.map(hex)).toEqual(ENTRIES.map((entry) => hex(leafOf(Buffer.from(entry, 'hex')))))
})

const leavesOf = (count: number) => Array.from({ length: count }, (_, at) => sha(`leaf ${at}`))

test('the tiles of a tree are the same however its leaves came, and are those of the letter', () => {
  const counts = fc.integer({ min: 0, max: 1_400 })
  fc.assert(
    fc.property(counts, fc.array(fc.integer({ min: 0, max: 600 }), { maxLength: 5 }), (count, groups) => {
      const leaves = leavesOf(count)
      const kept = grown(leaves, groups)
      for (const [name, hashes] of kept) {
        const [level, number] = name.split('/').map(Number)
        expect([name, hex(hashes)]).toEqual([name, hex(tile(level!, number!, leaves))])
      }
      for (const { level, number } of edgeTiles(count)) expect(kept.has(`${level}/${number}`)).toBe(true)
    }),
    {
      numRuns: 15,
      examples: [
        [255, []],
        [256, []],
        [257, [256]],
        [512, [255, 1]],
        [0, []],
      ],
    },
  )
})

test('a tree of three levels of tiles has the root of the letter, and so has each tree before it', () => {
  const leaves = leavesOf(65_800)
  const kept = grown(leaves, [65_535, 1, 1])
  const tileOf: TileOf = ({ level, number }) => kept.get(`${level}/${number}`)
  expect([...kept.keys()].filter((name) => !name.startsWith('0/')).sort()).toEqual(['1/0', '1/1', '2/0'])
  for (const size of [1, 255, 256, 257, 65_535, 65_536, 65_537, 65_800])
    expect([size, hex(rootOf(size, tileOf, sha256))]).toEqual([size, hex(mth(leaves.slice(0, size)))])
  for (const [index, size] of [
    [0, 65_800],
    [65_799, 65_800],
    [65_536, 65_537],
    [255, 65_536],
    [30_000, 65_700],
  ] as const)
    expect(inclusionProof(index, size, tileOf, sha256).map(hex)).toEqual(
      path(index, leaves.slice(0, size)).map(hex),
    )
})

test('proofs are those of the letter, and prove; any other path, index, size or leaf proves nothing', () => {
  const leaves = leavesOf(40)
  const kept = grown(leaves, [])
  const tileOf: TileOf = ({ level, number }) => kept.get(`${level}/${number}`)
  for (let size = 1; size <= leaves.length; size++) {
    const root = mth(leaves.slice(0, size))
    for (let index = 0; index < size; index++) {
      const found = inclusionProof(index, size, tileOf, sha256)
      expect(found.map(hex)).toEqual(path(index, leaves.slice(0, size)).map(hex))
      const proves = (change: object) => {
        const is = rootOfInclusion({ leaf: leaves[index]!, index, size, path: found, ...change }, sha256)
        return is !== undefined && hex(is) === hex(root)
      }
      expect(proves({})).toBe(true)
      expect(
        [{ index: index + 1 }, { index: -1 }, { leaf: sha('other') }, { path: [...found, root] }].some(
          proves,
        ),
      ).toBe(false)
      if (found.length > 0) expect(proves({ path: found.slice(1) })).toBe(false)
    }
    for (let first = 0; first <= size; first++) {
      const found = consistencyProof(first, size, tileOf, sha256)
      expect(found.map(hex)).toEqual(proof(first, leaves.slice(0, size)).map(hex))
      const [one, two] = [
        { size: first, root: mth(leaves.slice(0, first)) },
        { size, root },
      ]
      expect(isConsistent({ first: one, second: two, path: found }, sha256)).toBe(true)
      const wrong = { first: { size: first, root: sha('other') }, second: two, path: found }
      expect(isConsistent(wrong, sha256)).toBe(false)
      if (found.length > 0)
        expect(isConsistent({ first: one, second: two, path: found.slice(1) }, sha256)).toBe(false)
      expect(isConsistent({ first: one, second: two, path: [...found, root] }, sha256)).toBe(false)
    }
  }
})

test('a tree is not continued without the tiles that it needs', () => {
  expect(() => new GrowingTree(300, () => undefined, sha256)).toThrow('lacks a tile')
  const short: Tile = { level: 0, number: 0, hashes: new Uint8Array(32) }
  expect(() => new GrowingTree(2, () => short.hashes, sha256)).toThrow('lacks a tile')
})

test('paths of tiles are those of C2SP, and no other form of one is taken', () => {
  expect(tilePath(0, 1_234_067, 256)).toBe('tile/0/x001/x234/067')
  expect(tilePath('entries', 0, 8)).toBe('tile/entries/000.p/8')
  expect(tilePath(1, 1_000, 255)).toBe('tile/1/x001/000.p/255')
  for (const path of [
    'tile/0/x001/x234/067',
    'tile/entries/000.p/8',
    'tile/5/999',
    'tile/2/x001/000.p/255',
  ]) {
    const asked = readTilePath(path)!
    expect(tilePath(asked.level, asked.number, asked.width)).toBe(path)
  }
  const wrong = [
    '',
    'tile/0/1',
    'tile/0/0001',
    'tile/0/x000/001',
    'tile/6/000',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
  ]
  const more = [
    'tile/0/000.p/08',
    'tile/0/001/000',
    'tile/00/000',
    'tile/0/000/',
    'tile/-1/000',
    'tile/0/x99/000',
    'tile/data/000',
  ]
  for (const path of [...wrong, ...more]) expect([path, readTilePath(path)]).toEqual([path, undefined])
})
