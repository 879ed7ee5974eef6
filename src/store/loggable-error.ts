/** What a log may hold of an error. */
export interface LoggableError {
  readonly type: string
  readonly message: string
  readonly code?: string
  readonly severity?: string
  readonly schema?: string
  readonly table?: string
  readonly column?: string
  readonly constraint?: string
  readonly syscall?: string
  readonly cause?: LoggableError
  readonly errors?: readonly LoggableError[]
  readonly stack?: string
}

/** Names of things, and never their content. */
const NAMES = ['code', 'severity', 'schema', 'table', 'column', 'constraint', 'syscall'] as const
/** Errors within errors. */
const DEPTH = 4

/**
 * An error without a customer's data. PostgreSQL's `detail`, `where`, `hint` and `internalQuery` quote rows and parameters,
 * and so do its messages about a value (class 22): of these the log has what happened, and not with what. All members that
 * are not named here are left out, since other libraries add others.
 */
export function loggableError(error: unknown, depth = DEPTH): LoggableError {
  if (typeof error !== 'object' || error === null) return { type: typeof error, message: String(error) }
  const fields = error as Readonly<Record<string, unknown>>
  const message = messageOf(fields)
  const { cause, errors, stack } = fields
  const inner = Array.isArray(errors) && depth > 0 ? errors.map((one) => loggableError(one, depth - 1)) : []
  return {
    type: textOf(fields['type']) || textOf(fields['name']) || 'Error',
    message,
    ...Object.fromEntries(NAMES.flatMap((name) => (isShort(fields[name]) ? [[name, fields[name]]] : []))),
    ...(cause !== undefined && depth > 0 ? { cause: loggableError(cause, depth - 1) } : {}),
    ...(inner.length > 0 ? { errors: inner } : {}),
    ...(typeof stack === 'string' ? { stack: stack.replace(textOf(fields['message']), () => message) } : {}),
  }
}

function isShort(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number'
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** `invalid input syntax for type bigint: "…"`. */
function messageOf({ message, code }: Readonly<Record<string, unknown>>): string {
  const text = textOf(message)
  const isOfValue = typeof code === 'string' && /^22[0-9A-Z]{3}$/.test(code)
  return isOfValue ? text.replace(/".*"/s, '"…"') : text
}
