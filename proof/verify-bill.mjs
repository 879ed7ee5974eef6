// Checks a bill against the transparency log of Farthing, with nothing but this file. In Node.js:
//
//   node verify-bill.mjs proof.json [earlier.json]
//
// `proof.json` is what `farthing proof BILL --out proof.json` wrote. `earlier.json` is any file that you have kept from before:
// another proof, or the output of `farthing log show --json`. It says which log and which keys you trust, so that the server
// whose bill you check does not. In a browser: import { verifyBill } from './verify-bill.mjs'. Exit codes: 0 proved, 1 not
// proved, 3 the log was continued under another name: ask why.

const encoder = new TextEncoder()
const { subtle } = globalThis.crypto
const fromBase64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
const toBase64 = (bytes) => btoa(String.fromCharCode(...bytes))
const fromHex = (text) => Uint8Array.from(text.match(/../g) ?? [], (byte) => parseInt(byte, 16))
const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
const same = (one, other) => toHex(one) === toHex(other)

async function sha256(...parts) {
  const bytes = parts.map((part) => (typeof part === 'string' ? encoder.encode(part) : part))
  return new Uint8Array(await subtle.digest('SHA-256', await new Blob(bytes).arrayBuffer()))
}

/** RFC 8785: keys in order, no spaces. */
function canonical(value) {
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  const keys = Object.keys(value).sort()
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(',')}}`
}

/** The digest of a bill: of its text without lines and digest, which names the digest of its lines. */
async function billDigest({ lines, digest, ...head }) {
  const linesDigest = await sha256(lines.map((line) => `${canonical(line)}\n`).join(''))
  if (toHex(linesDigest) !== head.linesDigest) throw new Error('the lines are not those of linesDigest')
  const is = await sha256(canonical(head))
  if (toHex(is) !== digest) throw new Error('the text of the bill is not that of its digest')
  return is
}

const node = (left, right) => sha256(Uint8Array.of(1), left, right)

/** The root that an inclusion proof comes to: RFC 9162, 2.1.3.2. */
async function rootOf(leaf, index, size, path) {
  if (!(Number.isSafeInteger(index) && index >= 0 && index < size))
    throw new Error('the index is not in the log')
  let [at, last, root] = [BigInt(index), BigInt(size) - 1n, leaf]
  for (const sibling of path) {
    if (last === 0n) throw new Error('the path is too long')
    if (at & 1n || at === last) {
      root = await node(sibling, root)
      while (!(at & 1n) && at !== 0n) [at, last] = [at >> 1n, last >> 1n]
    } else root = await node(root, sibling)
    ;[at, last] = [at >> 1n, last >> 1n]
  }
  if (last !== 0n) throw new Error('the path is too short')
  return root
}

/** Does a log begin with an earlier one? RFC 9162, 2.1.4.2. */
async function extendsEarlier(earlier, later, path) {
  if (earlier.size === later.size) return path.length === 0 && same(earlier.root, later.root)
  if (earlier.size === 0) return path.length === 0
  let [at, last] = [BigInt(earlier.size) - 1n, BigInt(later.size) - 1n]
  const isPower = (BigInt(earlier.size) & at) === 0n
  const [begin, ...rest] = isPower ? [earlier.root, ...path] : path
  if (!begin) return false
  while (at & 1n) [at, last] = [at >> 1n, last >> 1n]
  let [older, newer] = [begin, begin]
  for (const sibling of rest) {
    if (last === 0n) return false
    if (at & 1n || at === last) {
      ;[older, newer] = [await node(sibling, older), await node(sibling, newer)]
      while (!(at & 1n) && at !== 0n) [at, last] = [at >> 1n, last >> 1n]
    } else newer = await node(newer, sibling)
    ;[at, last] = [at >> 1n, last >> 1n]
  }
  return last === 0n && same(older, earlier.root) && same(newer, later.root)
}

/** A signed checkpoint: C2SP tlog-checkpoint, three lines and signatures. */
function readCheckpoint(note) {
  const [text, signatures] = note.split(/(?<=\n)\n/)
  const lines = text.split('\n')
  if (lines.length !== 4 || lines[3] !== '' || !/^(0|[1-9]\d{0,15})$/.test(lines[1]))
    throw new Error('the checkpoint is not three lines')
  const [origin, size, root] = [lines[0], Number(lines[1]), fromBase64(lines[2])]
  return { text, origin, size, root, signatures: (signatures ?? '').split('\n').filter(Boolean) }
}

/** Which of the keys, as name+id+key, have signed it. */
async function signers({ text, origin, signatures }, keys) {
  const good = []
  for (const key of keys) {
    const [name, id, ...encoded] = key.split('+')
    const bytes = fromBase64(encoded.join('+'))
    const keyId = (await sha256(`${name}\n`, bytes)).slice(0, 4)
    if (name !== origin || toHex(keyId) !== id || bytes[0] !== 1) continue
    const publicKey = await subtle.importKey('raw', bytes.slice(1), { name: 'Ed25519' }, false, ['verify'])
    for (const line of signatures) {
      const [, by, signed] = /^\u2014 (\S+) (\S+)$/.exec(line) ?? []
      const signature = by === name ? fromBase64(signed) : new Uint8Array(0)
      if (!same(signature.slice(0, 4), keyId)) continue
      if (await subtle.verify('Ed25519', publicKey, signature.slice(4), encoder.encode(text))) good.push(key)
    }
  }
  return good
}

/** What a kept file says about the log: its name, its keys, and a checkpoint. */
function pinOf(file) {
  const { origin, keys, checkpoint } = file.proof ?? file
  if (typeof origin !== 'string' || !Array.isArray(keys)) throw new Error('the earlier file names no log')
  return { origin, keys, checkpoint: checkpoint && readCheckpoint(checkpoint) }
}

/**
 * Check a bill. Each step is told as it is taken.
 * @param file what `farthing proof` wrote: { bill, proof }
 * @param earlier a file from before, which says which log to trust; undefined: the proof's own word is taken
 * @returns 'proved', 'not proved' or 'continued'
 */
export async function verifyBill({ bill, proof }, earlier, say = () => {}) {
  const fail = (why) => (say(`NOT PROVED: ${why}`), 'not proved')
  try {
    say(`bill        ${bill.id}: ${bill.total} ${bill.currency}, number ${bill.sequence} of ${bill.account}`)
    const digest = await billDigest(bill)
    say(`digest      ${toHex(digest)}: of the text of the bill`)
    const entry = Uint8Array.of(1, ...(await sha256(fromHex(proof.salt), digest)))
    if (toHex(entry) !== proof.entry) return fail('the entry is not that of the bill and the salt')
    say(`entry       ${toHex(entry)}: of a bill, its digest and the salt`)
    const leaf = await sha256(Uint8Array.of(0), entry)
    const checkpoint = readCheckpoint(proof.checkpoint)
    const root = await rootOf(leaf, proof.index, checkpoint.size, proof.path.map(fromBase64))
    say(`path        ${proof.path.length} hashes from entry ${proof.index} to the root ${toBase64(root)}`)
    if (!same(root, checkpoint.root)) return fail('the path does not lead to the root of the checkpoint')
    say(`checkpoint  ${checkpoint.size} entries of ${checkpoint.origin} have this root`)
    const pin = earlier ? pinOf(earlier) : { origin: proof.origin, keys: proof.keys }
    if (checkpoint.origin !== pin.origin) {
      say(
        `CONTINUED: you trust ${pin.origin}, and the checkpoint is of ${checkpoint.origin}. Ask why the log was continued.`,
      )
      return 'continued'
    }
    const good = await signers(checkpoint, pin.keys)
    if (good.length === 0)
      return fail(`no key of ${earlier ? 'the earlier file' : 'the proof'} has signed the checkpoint`)
    say(`signature   by ${good.join(', ')}`)
    if (!earlier) say('            Nobody vouches for this key: keep this file, and give it the next time.')
    if (pin.checkpoint && proof.consistency?.size === pin.checkpoint.size) {
      const path = proof.consistency.path.map(fromBase64)
      if ((await signers(pin.checkpoint, pin.keys)).length === 0)
        return fail('your earlier checkpoint is not signed')
      if (!(await extendsEarlier(pin.checkpoint, checkpoint, path)))
        return fail('the log does not begin with your earlier checkpoint')
      say(`extends     the ${pin.checkpoint.size} entries of your earlier checkpoint, unchanged`)
    } else if (pin.checkpoint)
      say(
        `            That it extends your earlier checkpoint was not shown: farthing proof --since ${pin.checkpoint.size}`,
      )
    if (proof.adopted)
      say(`            The bill is older than the log: this shows nothing from before ${proof.begunAt}.`)
    say('PROVED: the bill is in the log. That it is right is another question: recompute it.')
    return 'proved'
  } catch (error) {
    return fail(error.message)
  }
}

if (
  globalThis.process?.argv[1] &&
  import.meta.url.endsWith(globalThis.process.argv[1].split(/[\\/]/).pop())
) {
  const { readFile } = await import('node:fs/promises')
  const [, , proofFile, earlierFile] = globalThis.process.argv
  const read = async (path) => JSON.parse(await readFile(path, 'utf8'))
  const result = await verifyBill(
    await read(proofFile),
    earlierFile && (await read(earlierFile)),
    console.log,
  )
  globalThis.process.exitCode = { proved: 0, 'not proved': 1, continued: 3 }[result]
}
