import type { Query } from '../query.ts'

export interface AcknowledgeSilence {
  readonly source: string
  /** The key. */
  readonly by: string
}

/** Somebody says that a source is silent with good reason: it is no warning any more. Nothing when it is not silent. */
export const acknowledgeSilence: Query<AcknowledgeSilence, { source: string }, string> = {
  name: 'acknowledge_silence',
  text: `
    update source_presence set acknowledged_by = $2
     where source = $1 and silent_since is not null
    returning source`,
  values: ({ source, by }) => [source, by],
  decode: ({ source }) => source,
}
