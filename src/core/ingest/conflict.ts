/** Why an event is not stored whose identity is taken by another content. */
export const CONFLICT_CODE = 'event/conflict'
export const CONFLICT_DETAIL =
  'Another event of this account, source and id, with other content, was accepted before: send new usage under a new id.'
