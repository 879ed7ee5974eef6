/** What the store reports to: satisfied by a pino logger. Fields first, then one sentence. */
export interface Log {
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
  error(fields: object, text: string): void
}
