/** Units that FOCUS has a name for, by ours. */
const NAMES: Readonly<Record<string, string>> = {
  call: 'Requests',
  second: 'Seconds',
  minute: 'Minutes',
  hour: 'Hours',
  day: 'Days',
  month: 'Months',
}

/**
 * A unit as FOCUS writes it: `1000 call` is `1000 Requests`, `GB-hour` is `GB-Hours`. A unit without a name there gets a capital
 * letter and a plural, as its rules for new units say: `image` is `Images`.
 */
export function focusUnit(unit: string): string {
  const [, count = '', name = ''] = /^(\d+ )?(.*)$/su.exec(unit) ?? []
  const known = Object.hasOwn(NAMES, name) ? NAMES[name] : undefined
  return `${count}${known ?? name.split('-').map(partName).join('-')}`
}

function partName(part: string, index: number, parts: readonly string[]): string {
  if (/^[KMGTPE]?i?[bB]$/.test(part)) return part
  if (part === 'byte') return 'B'
  const capital = part.slice(0, 1).toUpperCase() + part.slice(1)
  const isLast = index === parts.length - 1
  return isLast && /^[a-z]*[a-rt-z]$/.test(part) ? `${capital}s` : capital
}
