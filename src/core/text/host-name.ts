/** A name, an IPv4 address, or an IPv6 address in brackets; with a port or without. */
const FORM = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{0,5}))?$/i
const LAST_PORT = 65_535
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/

/**
 * The host of `name:port` in the one form that equal hosts share: small letters, without the port, without the dot at the end
 * of a full name, an IPv6 address as its eight groups.
 * @returns undefined for what is no host
 */
export function canonicalHost(text: string): string | undefined {
  const [, host = '', port = ''] = FORM.exec(text) ?? []
  if (host === '' || Number(port) > LAST_PORT) return undefined
  if (host.startsWith('[')) return canonicalIpv6(host.slice(1, -1).toLowerCase())
  const name = host.toLowerCase().replace(/\.$/, '')
  return name.split('.').every((label) => LABEL.test(label)) ? name : undefined
}

/** Does a canonical host mean the machine itself? `localhost`, names below it, 127.0.0.0/8 and ::1. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host.endsWith('.localhost')) return true
  const ipv4 = /^\[0:0:0:0:0:ffff:([0-9a-f]+):[0-9a-f]+\]$/.exec(host)?.[1]
  if (ipv4 !== undefined) return parseInt(ipv4, 16) >> 8 === 127
  return host === LOOPBACK_IPV6 || (IPV4.test(host) && host.startsWith('127.'))
}

const LOOPBACK_IPV6 = '[0:0:0:0:0:0:0:1]'
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/

function canonicalIpv6(text: string): string | undefined {
  const [, head = text, ipv4] = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text) ?? []
  if (ipv4 !== undefined && !IPV4.test(ipv4)) return undefined
  const tail = ipv4 === undefined ? '' : groupsOfIpv4(ipv4)
  const halves = `${head}${tail}`.split('::')
  if (halves.length > 2) return undefined
  const [before = [], after = []] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const missing = 8 - before.length - after.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const groups = [...before, ...Array<string>(missing).fill('0'), ...after]
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/.test(group))) return undefined
  return `[${groups.map((group) => parseInt(group, 16).toString(16)).join(':')}]`
}

function groupsOfIpv4(text: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = text.split('.').map(Number)
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
}
