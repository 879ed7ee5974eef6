/**
 * Logs hold bytes that need not be UTF-8, such as a path that a client sent raw. So fields are kept with one
 * character for each byte (U+0000 to U+00FF), and become text only where text is needed.
 */
export type ByteText = string

/** The text of UTF-8 bytes; undefined when they are not UTF-8. */
export function textOf(bytes: ByteText): string | undefined {
  // oxlint-disable-next-line no-control-regex
  if (/^[\x00-\x7f]*$/.test(bytes)) return bytes
  return decode(bytes.replaceAll(/[%\u0080-\u00ff]/g, escapeByte))
}

/** The same after %HH became bytes. A % that begins no such escape stands for itself. */
export function percentDecoded(bytes: ByteText): string | undefined {
  if (!/[%\u0080-\u00ff]/.test(bytes)) return bytes
  return decode(bytes.replaceAll(/%(?![0-9a-fA-F]{2})|[\u0080-\u00ff]/g, escapeByte))
}

/** One character for each byte of the text's UTF-8 form. An unpaired surrogate becomes U+FFFD. */
export function bytesOf(text: string): ByteText {
  // oxlint-disable-next-line no-control-regex
  if (/^[\x00-\x7f]*$/.test(text)) return text
  const escaped = encodeURIComponent(text.toWellFormed())
  return escaped.replaceAll(/%([0-9A-F]{2})/g, (_, hex: string) => byteAt(hex))
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  b: '\b',
  f: '\f',
  v: '\v',
}

/**
 * Undo the escapes of a text log: \xHH (nginx, Apache, ALB), \" \\ \n \t and such (Apache), \u00HH (nginx with
 * escape=json). One reading serves all, because each of them escapes its backslashes.
 */
export function unescaped(written: string): ByteText {
  if (!written.includes('\\')) return written
  return written.replaceAll(
    /\\(?:x([0-9a-fA-F]{2})|u00([0-9a-fA-F]{2})|([\s\S]))/g,
    (_, hex: string | undefined, unit: string | undefined, sign: string | undefined) => {
      if (sign === undefined) return byteAt(hex ?? unit!)
      return ESCAPES[sign] ?? sign
    },
  )
}

function byteAt(hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16))
}

function escapeByte(byte: string): string {
  return `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`
}

function decode(escaped: string): string | undefined {
  try {
    return decodeURIComponent(escaped)
  } catch {
    return undefined
  }
}
