/** What a key allows. `admin` implies all others. Public API: add, never rename. */
export const SCOPES = ['usage:write', 'usage:read', 'bills:read', 'prices:write', 'admin'] as const
export type Scope = (typeof SCOPES)[number]

/** Scopes that act on the whole deployment: a key bound to an account cannot have them. */
export const DEPLOYMENT_SCOPES: readonly Scope[] = ['prices:write', 'admin']

/** A key as it is checked: what it allows, and for whom. */
export interface Key {
  readonly id: string
  readonly scopes: ReadonlySet<Scope>
  /** The only account that it can see and send for; undefined: all. */
  readonly account: string | undefined
}

export function allows(key: Key, scope: Scope): boolean {
  return key.scopes.has(scope) || key.scopes.has('admin')
}
