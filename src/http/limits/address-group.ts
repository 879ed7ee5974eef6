import { isIP } from 'node:net'

/**
 * What is limited together: an IPv4 address; of IPv6 the first 64 bits, since an owner of one address of such a network has
 * all of them. The same address is the same group in each of its notations.
 */
export function addressGroup(address: string): string {
  const plain = address.split('%', 1)[0]!
  if (isIP(plain) !== 6) return plain
  const words = wordsOf(plain)
  const isMapped = words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff
  if (isMapped)
    return words
      .slice(6)
      .flatMap((word) => [word >> 8, word & 255])
      .join('.')
  return `${words
    .slice(0, 4)
    .map((word) => word.toString(16))
    .join(':')}::/64`
}

/** The eight words of an IPv6 address. */
function wordsOf(address: string): readonly number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)
  const [, before, ...bytes] = dotted ?? []
  const [a = 0, b = 0, c = 0, d = 0] = bytes.map(Number)
  const text = dotted ? `${before}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}` : address
  const [head = '', tail] = text.split('::')
  const [first, last] = [head, tail ?? ''].map((part) =>
    part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16)),
  )
  const missing = tail === undefined ? 0 : 8 - first!.length - last!.length
  return [...first!, ...Array<number>(missing).fill(0), ...last!]
}
