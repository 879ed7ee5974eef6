/**
 * Why a text cannot be stored, or undefined when it can: PostgreSQL has no U+0000, and an unpaired
 * surrogate has no UTF-8 form (two different ones would become the same bytes). One such text would fail
 * the commit of its neighbours, so each event is checked alone (ARCHITECTURE.md).
 */
export function refuseText(text: string): 'nul_character' | 'unpaired_surrogate' | undefined {
  if (text.includes('\u0000')) return 'nul_character'
  return text.isWellFormed() ? undefined : 'unpaired_surrogate'
}

/** Length in UTF-8 bytes. Counted without allocating: unpaired surrogates count 3, as their replacement does. */
export function byteLength(text: string): number {
  let bytes = 0
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit < 0x80) bytes += 1
    else if (unit < 0x800) bytes += 2
    else if (unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00) {
      bytes += 4
      at++
    } else bytes += 3
  }
  return bytes
}

/**
 * Order by UTF-8 bytes: the order of PostgreSQL's collation "C", hence of keys, lines and digests. It
 * differs from JavaScript's order of UTF-16 units only where one text has a surrogate pair.
 */
export function compareBytes(a: string, b: string): -1 | 0 | 1 {
  const shorter = Math.min(a.length, b.length)
  for (let at = 0; at < shorter; at++) {
    const left = a.charCodeAt(at)
    const right = b.charCodeAt(at)
    if (left !== right) return orderOfUnit(left) < orderOfUnit(right) ? -1 : 1
  }
  return a.length === b.length ? 0 : a.length < b.length ? -1 : 1
}

/** Surrogates stand for code points above all others, so they sort after U+E000 to U+FFFF. */
function orderOfUnit(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}

/** Null first, then by UTF-8 bytes. */
export function compareNullable(a: string | null, b: string | null): -1 | 0 | 1 {
  if (a === null) return b === null ? 0 : -1
  return b === null ? 1 : compareBytes(a, b)
}
