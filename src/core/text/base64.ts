const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const FORM = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/**
 * The text that a Base64 text (RFC 4648, 4, with its padding) has the UTF-8 bytes of.
 * @returns what it is not, otherwise
 */
export function decodeBase64Text(
  encoded: string,
): { readonly text: string } | { readonly not: 'Base64' | 'UTF-8' } {
  if (!FORM.test(encoded)) return { not: 'Base64' }
  try {
    // The one decoder of UTF-8 that the language itself has. It takes valid UTF-8 alone.
    return { text: decodeURIComponent(bytesOf(encoded).map(escapeByte).join('')) }
  } catch {
    return { not: 'UTF-8' }
  }
}

function bytesOf(encoded: string): number[] {
  const bytes: number[] = []
  let bits = 0
  let held = 0
  for (const character of encoded.replace(/=+$/, '')) {
    bits = ((bits << 6) | DIGITS.indexOf(character)) & 0xfff
    held += 6
    if (held < 8) continue
    held -= 8
    bytes.push((bits >> held) & 0xff)
  }
  return bytes
}

function escapeByte(byte: number): string {
  return `%${byte.toString(16).padStart(2, '0')}`
}
