/** Every way in which a call of the SDK fails by an exception. sdk/README.md says what to do. */
export type MeterErrorCode =
  'sdk/invalid_option' | 'sdk/invalid_fact' | 'sdk/queue_full' | 'sdk/closed' | 'sdk/spool_unusable'

/** What the caller has to change; `code` is stable, the message says what and where. */
export class MeterError extends Error {
  readonly code: MeterErrorCode

  constructor(code: MeterErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'MeterError'
    this.code = code
  }
}

export function invalidFact(message: string): MeterError {
  return new MeterError('sdk/invalid_fact', message)
}

export function invalidOption(message: string): MeterError {
  return new MeterError('sdk/invalid_option', message)
}
