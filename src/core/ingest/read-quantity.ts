import { type Decimal, decimal, fitsDigits, isPlain, isWhole, ZERO } from '../money/decimal.ts'
import type { Json } from '../text/canonical-json.ts'
import { reject, type Rejection } from './rejection.ts'

/**
 * Read a quantity from the wire: a decimal string, or a JSON number that is a whole number of at most 2^53-1.
 * Any other JSON number is refused with the advice to send a string: senders compute such in binary, which loses
 * digits before we see them (ARCHITECTURE.md). Quantities are at least 0: what was not used is voided by a void.
 * @param name where it stands, for the message: `data.count`
 * @returns `event/invalid_quantity` when it is not such a quantity
 */
export function readQuantity(value: Json | undefined, name: string): Decimal | Rejection {
  if (value === undefined || value === null)
    return invalid(name, 'is missing', 'send a decimal string such as "12.5"')
  if (typeof value === 'number') return readNumber(value, name)
  if (typeof value !== 'string')
    return invalid(name, 'is not a quantity', 'send a decimal string such as "12.5"')
  if (value.startsWith('-')) return invalid(name, 'is negative', 'send 0 or more; to correct usage, void it')
  if (value.length > 64 || !isPlain(value)) {
    return invalid(name, 'is not a plain decimal', 'send digits and at most one point, such as "12.5"')
  }
  if (!fitsDigits(value)) {
    return invalid(name, 'has too many digits', 'send at most 30 before and 12 after the point')
  }
  return decimal(value)
}

/** As `readQuantity`, and a whole number: calls and bytes do not come in parts. */
export function readWhole(value: Json | undefined, name: string): Decimal | Rejection {
  const quantity = readQuantity(value, name)
  if ('code' in quantity || isWhole(quantity)) return quantity
  return invalid(name, 'is not a whole number', 'send it without a fraction')
}

/** What was sent is quoted only where it is known: a text with this value may have had another form. */
function readNumber(value: number, name: string): Decimal | Rejection {
  if (value < 0) return invalid(name, 'is negative', 'send 0 or more; to correct usage, void it')
  if (Number.isSafeInteger(value)) return value === 0 ? ZERO : decimal(String(value))
  const what = value > Number.MAX_SAFE_INTEGER ? 'above 9007199254740991 (2^53 - 1)' : 'that is not whole'
  return invalid(name, `is a JSON number ${what}`, 'send it as a decimal string')
}

function invalid(name: string, what: string, fix: string): Rejection {
  return reject('event/invalid_quantity', `${name} ${what}: ${fix}.`)
}
