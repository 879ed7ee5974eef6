/** @throws RangeError unless `value` is an integer in [min, max] */
export function requireInteger(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return
  throw new RangeError(`${name} must be an integer from ${min} to ${max}: ${value}`)
}

/**
 * The first instant of a UTC day, in milliseconds since 1970.
 * @throws RangeError unless `day` is YYYY-MM-DD and in the calendar
 */
export function dayStartMs(day: string): number {
  return startMs(`${day}T00:00:00.000Z`, `not a day (YYYY-MM-DD): ${day}`)
}

/**
 * The first instant of a UTC hour, in milliseconds since 1970.
 * @throws RangeError unless `hour` is YYYY-MM-DDTHH and in the calendar
 */
export function hourStartMs(hour: string): number {
  return startMs(`${hour}:00:00.000Z`, `not an hour (YYYY-MM-DDTHH): ${hour}`)
}

function startMs(instant: string, otherwise: string): number {
  const ms = Date.parse(instant)
  // Written back, because Date.parse takes February 30 for March 2.
  if (Number.isNaN(ms) || new Date(ms).toISOString() !== instant) throw new RangeError(otherwise)
  return ms
}
