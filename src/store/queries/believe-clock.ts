import type { Query } from '../query.ts'

/** The doubt about the clock ends, and every process takes the clock as it is. Nothing if there is none. @returns a row if there was one */
export const believeClock: Query<void, { agreements: number }, number> = {
  name: 'believe_clock',
  text: `
    update clock_watch set doubted_at = null, believed_at = null, agreements = agreements + 1
     where doubted_at is not null
    returning agreements`,
  values: () => [],
  decode: ({ agreements }) => agreements,
}
