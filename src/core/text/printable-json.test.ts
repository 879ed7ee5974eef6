import { expect, test } from 'vitest'
import { escapeUnseen, printableJson } from './printable-json.ts'

const HOSTILE: Readonly<Record<string, string>> = {
  'a C1 control (CSI)': '\u009b31mred',
  'a C1 control (OSC)': '\u009d0;title\u009c',
  'every C0 control': String.fromCharCode(...Array(32).keys()),
  DEL: 'a\u007f',
  'right-to-left override': 'acme\u202egpj.exe',
  isolates: '\u2066a\u2067b\u2068c\u2069',
  'direction marks': '\u200e\u200f\u061c',
  'line and paragraph separators': 'a\u2028b\u2029c',
  'a zero-width space and joiner': 'a\u200bb\u200dc\ufeff',
  'a soft hyphen': 'a\u00adb',
  'tag characters beyond U+FFFF': 'a\u{e0041}\u{1d173}',
}

for (const [name, text] of Object.entries(HOSTILE)) {
  test(`JSON shows none of it, and says the same: ${name}`, () => {
    for (const indent of [undefined, 2]) {
      const value = { [text]: [text, { deep: text }] }
      const shown = printableJson(value, indent)
      expect(shown.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
      expect(JSON.parse(shown)).toEqual(value)
    }
    expect(escapeUnseen(text).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
  })
}

test('what can be seen stays as it is', () => {
  for (const text of ['acme', 'Zoë', '東京', '😀', 'a"b\\c', 'a\nb'])
    expect(printableJson({ text }, 2)).toBe(JSON.stringify({ text }, null, 2))
})
