import { readTilePath } from '../../core/log/tiles.ts'
import { encodeBase64, hexOf } from '../../core/text/base64-bytes.ts'
import { formatInstant } from '../../core/time/instant.ts'
import { findNewestTree } from '../../flows/log/log-identity.ts'
import {
  type BillProof,
  findBillProof,
  findServedCheckpoint,
  noteOfCheckpoint,
  readLog,
  readTile,
} from '../../flows/read/read-log.ts'
import { GetBillProof, GetCheckpoint, GetLog, GetLogTile } from '../../api/log.ts'
import { HttpProblem } from '../api/problem.ts'
import { type HttpContext, route } from '../route.ts'
import { hasNewest, hasUnchanging, UNCHANGED_SECONDS } from '../unchanged.ts'
import { READ_BILLS, requireBill } from './bills.ts'

/** A checkpoint comes at least so much later than what it covers. */
const RETRY_AFTER = '10'
/** Bytes of a tile never change: one with more hashes has another address. */
const PUBLIC = `public, max-age=${UNCHANGED_SECONDS}, immutable`
const READ_LOG = { scope: 'any', boundKeys: 'same' } as const
/** Entries are salted hashes: anybody may have them, where the deployment says so. */
const LOG = { ...READ_LOG, openAsLog: true } as const

export const getBillProof = route({
  ...GetBillProof,
  access: READ_BILLS,
  async handle({ params, query, key }, { reading }) {
    const bill = await requireBill(reading, params.id, key)
    const proof = await findBillProof(reading, { ...bill, since: query.since })
    if (proof) return proofView(bill.id, proof)
    const detail = 'No checkpoint covers the bill yet: ask again within a minute.'
    throw new HttpProblem('bill/not_in_checkpoint', detail, { 'retry-after': RETRY_AFTER })
  },
})

function proofView(bill: string, proof: BillProof) {
  const { tree, index, digest, entry, salt, path, checkpoint, isSigned, keys, consistency } = proof
  return {
    bill,
    origin: tree.origin,
    keys,
    digest: hexOf(digest),
    salt: hexOf(salt),
    entry: hexOf(entry),
    index,
    path: path.map(encodeBase64),
    checkpoint,
    signed: isSigned,
    adopted: index < tree.adopted,
    begunAt: formatInstant(tree.begunAt),
    consistency: consistency ? { size: consistency.size, path: consistency.path.map(encodeBase64) } : null,
  }
}

interface Continues {
  readonly origin: string
  readonly checkpoint: string | null
  readonly signed: string | null
  readonly reason: string
}

export const getLog = route({
  ...GetLog,
  access: READ_LOG,
  async handle(_, { reading }) {
    const log = await readLog(reading)
    const none = { checkpoint: null, size: 0, adopted: 0, begunAt: null, continues: null, before: [] }
    if (!log) return { origin: null, keys: [], signed: false, ...none }
    const { tree, checkpoint, keys, before } = log
    return {
      origin: tree.origin,
      keys,
      signed: checkpoint !== undefined && checkpoint.note !== null,
      checkpoint: checkpoint ? noteOfCheckpoint(tree, checkpoint) : null,
      size: tree.size,
      adopted: tree.adopted,
      begunAt: formatInstant(tree.begunAt),
      continues: tree.continues === null ? null : (JSON.parse(tree.continues) as Continues),
      before: before.map(({ origin, size, begunAt }) => ({
        origin,
        size,
        begunAt: formatInstant(begunAt),
      })),
    }
  },
})

export const getCheckpoint = route({
  ...GetCheckpoint,
  access: LOG,
  answersAreSmall: true,
  async handle({ request, reply }, { reading }) {
    const tree = await findNewestTree(reading)
    const checkpoint = tree && (await findServedCheckpoint(reading, tree))
    if (!checkpoint || checkpoint.note === null) {
      const detail =
        'The log has no signed checkpoint: set FARTHING_SIGNING_KEY at the server, or ask again within a minute.'
      throw new HttpProblem('tlog/unsigned', detail)
    }
    if (hasNewest({ request, reply }, `${tree.tree}.${checkpoint.size}.${checkpoint.note.length}`))
      return reply.code(304).send()
    return reply.type('text/plain; charset=utf-8').send(checkpoint.note)
  },
})

export const getLogTile = route({
  ...GetLogTile,
  access: LOG,
  answersAreSmall: true,
  async handle({ params, request, reply }, context: HttpContext) {
    const asked = readTilePath(`tile/${params['*']}`)
    const tree = asked && (await findNewestTree(context.reading))
    const bytes = tree && (await readTile(context.reading, tree, asked))
    if (!bytes) {
      const form = 'tiles are at /log/tile/<level>/<number>, as C2SP tlog-tiles has them'
      throw new HttpProblem('tlog/no_tile', `The log has no such tile: ${form}.`)
    }
    const tag = `${tree.tree}.${params['*']}`
    const isKnown = hasUnchanging({ request, reply }, tag)
    // Where the log is public, a cache on the way may keep it for all.
    if (context.isLogPublic) void reply.header('cache-control', PUBLIC).header('vary', 'accept-encoding')
    if (isKnown) return reply.code(304).send()
    return reply.type('application/octet-stream').send(Buffer.from(bytes))
  },
})
