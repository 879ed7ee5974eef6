import fc from 'fast-check'

/** A JSON text before it is written: keys may be there twice, and numbers are texts. */
export type Model =
  | { readonly members: readonly (readonly [string, Model])[]; readonly space: string }
  | { readonly elements: readonly Model[]; readonly space: string }
  | { readonly number: string }
  | { readonly scalar: string | boolean | null; readonly isEscaped?: boolean }

/** Numbers as JSON writes them, with those that doubles lose. */
export const anyNumberText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom('0', '-0', '1', '1.0', '1e0', '10e-1', '100', '1e2', '1E+2', '0.1', '0.10', '1e-1', '0.5'),
  fc.constantFrom('0.99999999999999999999', '0.1000000000000000055511151231257827', '1.00000000000000000001'),
  fc.constantFrom(
    '9007199254740991',
    '9007199254740992',
    '9007199254740993',
    '4503599627370497.5',
    '1e-400',
    '1e400',
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.stringMatching(/^-?[1-9]\d{0,20}(\.\d{1,20})?([eE][-+]?\d{1,2})?$/),
)

const keys = fc.constantFrom('a', 'b', 'count', 'é', '"', ':', '{', '__proto__', '1e400', '')
const spaces = fc.constantFrom('', '', '', ' ', '\n\t')

export const anyJsonText: fc.Arbitrary<Model> = fc.letrec<{ value: Model }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    anyNumberText.map((number) => ({ number })),
    fc.record({
      scalar: fc.constantFrom('', 'a', '1e400', '"', '\\', ':,"', '9007199254740993', true, false, null),
      isEscaped: fc.boolean(),
    }),
    fc.record({ members: fc.array(fc.tuple(keys, tie('value')), { maxLength: 4 }), space: spaces }),
    fc.record({ elements: fc.array(tie('value'), { maxLength: 4 }), space: spaces }),
  ),
})).value

export function printed(model: Model): string {
  if ('number' in model) return model.number
  if ('scalar' in model) {
    const { scalar, isEscaped } = model
    return typeof scalar === 'string' ? quoted(scalar, isEscaped === true) : String(scalar)
  }
  const { space } = model
  const inner =
    'members' in model
      ? model.members.map(
          ([key, value], at) => `${quoted(key, at % 2 === 1)}${space}:${space}${printed(value)}`,
        )
      : model.elements.map(printed)
  const [opening, closing] = 'members' in model ? '{}' : '[]'
  return `${opening}${space}${inner.join(`${space},${space}`)}${space}${closing}`
}

function quoted(text: string, isEscaped: boolean): string {
  if (!isEscaped) return JSON.stringify(text)
  const units = Array.from(text, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return `"${units.join('')}"`
}

/** A number by its value: the digits that count, and where the point is; the same for equal values alone. */
export function valueOf(number: string): string {
  const [base = '', exponent = '0'] = number.toLowerCase().split('e')
  const [whole = '', fraction = ''] = base.replace('-', '').split('.')
  const digits = BigInt(whole + fraction).toString()
  if (digits === '0') return '0'
  const zeros = /0*$/.exec(digits)![0].length
  const power = Number(exponent) - fraction.length + zeros
  return `${base.startsWith('-') ? '-' : ''}${digits.slice(0, digits.length - zeros)}e${power}`
}

/** Does a double keep the number, by the text that JavaScript has for it? */
function isKept(number: string): boolean {
  const double = Number(number)
  return Number.isFinite(double) && valueOf(String(double)) === valueOf(number)
}

/** The paths of repeated keys and lost numbers, in the order of the text. */
export function faultPathsOf(model: Model): readonly (readonly (string | number)[])[] {
  const within = (step: string | number, inner: Model) => faultPathsOf(inner).map((path) => [step, ...path])
  if ('number' in model) return isKept(model.number) ? [] : [[]]
  if ('elements' in model) return model.elements.flatMap((element, at) => within(at, element))
  if (!('members' in model)) return []
  return model.members.flatMap(([key, inner], at) => {
    const isRepeated = model.members.slice(0, at).some(([earlier]) => earlier === key)
    return [...(isRepeated ? [[key]] : []), ...within(key, inner)]
  })
}

/** What a text without faults says, whatever its spaces, escapes and forms of numbers: equal for equal contents alone. */
export function contentOf(model: Model): unknown {
  if ('number' in model) return `n${valueOf(model.number)}`
  if ('elements' in model) return model.elements.map(contentOf)
  if (!('members' in model)) return model.scalar === null ? null : `${typeof model.scalar} ${model.scalar}`
  const sorted = model.members.toSorted(([a], [b]) => (a < b ? -1 : 1))
  return { members: sorted.map(([key, inner]) => [key, contentOf(inner)]) }
}
