import type { Query } from '../query.ts'

/** Is there a held event that was not looked at under the newest price book? One probe of an index. */
export const hasUnreadHeldEvents: Query<void, { unread: boolean }, boolean> = {
  name: 'has_unread_held_events',
  text: `
    select exists (select from held_event h where h.price_version < d.price_version) as unread
      from deployment d`,
  values: () => [],
  decode: ({ unread }) => unread,
}
