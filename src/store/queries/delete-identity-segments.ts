import type { Query } from '../query.ts'

export interface DeleteIdentitySegments {
  readonly fromHour: number
  readonly toHour: number
  readonly numbers: readonly number[]
}

/** Segments whose fingerprints another one has now. */
export const deleteIdentitySegments: Query<DeleteIdentitySegments, never, void> = {
  name: 'delete_identity_segments',
  text: `delete from identity_segment where hour >= $1 and hour < $2 and number = any ($3)`,
  values: ({ fromHour, toHour, numbers }) => [fromHour, toHour, numbers],
  decode: () => undefined,
}
