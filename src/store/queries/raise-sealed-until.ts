import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

/** Hours before `to` take no more events of their own. Only while holding the gate alone. */
export const raiseSealedUntil: Query<{ readonly to: Hour }, never, void> = {
  name: 'raise_sealed_until',
  text: `update deployment set sealed_until = $1 where sealed_until < $1`,
  values: ({ to }) => [to],
  decode: () => undefined,
}
