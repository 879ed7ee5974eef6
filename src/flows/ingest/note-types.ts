import { isBuiltIn } from '../../core/ingest/usage.ts'
import { insertAcceptedTypes } from '../../store/accepted-types.ts'
import { run, type Sql } from '../../store/query.ts'
import type { RefusedEvent } from '../../store/refusals.ts'
import type { Candidate } from './parse.ts'

/** Is it accepted, as an event of a type that a price book declared? */
export function isOfDeclaredType({ type, assessment }: Pick<Candidate, 'type' | 'assessment'>): boolean {
  return assessment.outcome === 'accepted' && !isBuiltIn(type)
}

/**
 * Note the types of events before they are stored. A publication that changes how a type is read finds it noted; or it is
 * published before these events are stored, and then they are read again.
 * @param types that are noted already. Grows
 */
export async function noteTypes(
  { pool, types }: { readonly pool: Sql; readonly types: Set<string> },
  reads: readonly (Candidate | RefusedEvent)[],
): Promise<void> {
  const missing = new Set<string>()
  for (const read of reads) {
    if ('assessment' in read && isOfDeclaredType(read) && !types.has(read.type)) missing.add(read.type)
  }
  if (missing.size === 0) return
  await run(pool, insertAcceptedTypes, [...missing])
  for (const type of missing) types.add(type)
}
