import { InvalidArgumentError } from 'commander'

/** The value of an option that is a whole number from 0 on. */
export function wholeNumber(text: string): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(value)) return value
  throw new InvalidArgumentError('Write a whole number, such as 1024.')
}
