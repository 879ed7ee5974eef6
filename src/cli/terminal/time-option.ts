import type { Command } from 'commander'

/** What commands take as a time; the server takes RFC 3339. */
const FORMS = '2025-07-28, 2025-07-28T03Z or RFC 3339'

/** A day or an hour of UTC, for short, as RFC 3339. Any other text is left to the server, which says what is wrong. */
export function readTime(text: string): string {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return `${text}T00:00:00Z`
  return /^\d{4}-\d{2}-\d{2}T\d{2}Z$/.test(text) ? `${text.slice(0, -1)}:00:00Z` : text
}

/** Adds `--from` and `--to`: those that start in [from, to). */
export function withRange(command: Command, items: string): Command {
  return command
    .option('--from <time>', `${items} that start then or later: ${FORMS}`, readTime)
    .option('--to <time>', `${items} that start before then`, readTime)
}
