import { BlockList, isIP } from 'node:net'
import { ExportLimit } from './export-limit.ts'
import { QuestionGate } from './question-gate.ts'
import { RateLimit } from './rate-limit.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND

/** How much one key and one address may have: settings. */
export interface FairShares {
  /** Questions of a bound key at once. */
  readonly questionsMax: number
  /** Dry runs of a key at once. */
  readonly dryRunsMax: number
  /** Questions of a key. */
  readonly questionsPerSecond: number
  /** Open connections of an address. */
  readonly connectionsMax: number
  /** Look-ups of keys that are none, of an address. */
  readonly failedKeysPerMinute: number
  /** Addresses and networks of proxies. */
  readonly trustedProxies: readonly string[]
}

/** What requests pass before they cost anything. */
export interface Gates {
  readonly questions: QuestionGate
  /** Exports that run. */
  readonly exports: ExportLimit
  /** By key. */
  readonly questionRate: RateLimit
  /** By address. */
  readonly failedKeys: RateLimit
  readonly connectionsMax: number
  /** Is this the address of a proxy that says truly for whom it asks? */
  readonly isTrusted: (address: string) => boolean
}

/** @param sessions for questions */
export function makeGates(shares: FairShares, sessions: number): Gates {
  const { questionsMax, dryRunsMax, questionsPerSecond, failedKeysPerMinute, connectionsMax } = shares
  const unboundMax = Math.max(1, Math.floor(sessions / 2))
  return {
    questions: new QuestionGate({ atOnceMax: sessions, boundMax: questionsMax, unboundMax, dryRunsMax }),
    exports: new ExportLimit(),
    questionRate: new RateLimit({ count: questionsPerSecond, perMs: SECOND }),
    failedKeys: new RateLimit({ count: failedKeysPerMinute, perMs: MINUTE }),
    connectionsMax,
    isTrusted: trusting(shares.trustedProxies),
  }
}

/** @param networks as `isNetwork` takes them */
function trusting(networks: readonly string[]): (address: string) => boolean {
  if (networks.length === 0) return () => false
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  return (address) => {
    const plain = address.split('%', 1)[0]!
    const version = isIP(plain)
    return version !== 0 && list.check(plain, version === 6 ? 'ipv6' : 'ipv4')
  }
}

/** Is this an IP address, or a network such as 10.0.0.0/8? */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/')
  const version = isIP(address)
  if (version === 0 || address.includes('%') || more.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 6 ? 128 : 32))
}
