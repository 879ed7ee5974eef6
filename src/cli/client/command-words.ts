/** What the API calls by its address, and the command line by a command. The longest address comes first. */
export const COMMAND_WORDS: readonly (readonly [address: string, command: string])[] = [
  ['/v1/sources/silent', 'farthing sources silent'],
  ['/v1/price-book/versions', 'farthing price-book list'],
  ['/v1/refused-events/counts', 'farthing refused --counts'],
  ['/v1/refused-events', 'farthing refused'],
  ['/v1/held-events/events', 'farthing held --events'],
  ['/v1/held-events', 'farthing held'],
  ['/v1/price-book', 'farthing price-book show'],
  ['/v1/price-lists', 'farthing price-lists list'],
  ['/v1/accounts', 'farthing accounts list'],
  ['/v1/storage', 'farthing storage'],
  ['/v1/sources', 'farthing sources list'],
  ['/v1/voids', 'farthing voids'],
  ['/v1/cycles', 'farthing cycles'],
  ['/v1/usage', 'farthing usage'],
  ['/v1/focus/charges', 'farthing export focus'],
  ['/v1/exports/lines', 'farthing export lines'],
  ['/v1/bills', 'farthing bills'],
  ['/v1/keys', 'farthing keys list'],
  ['/v1/audit-log', 'farthing audit'],
  ['/v1/manifests', 'farthing sources manifest'],
  ['/v1/events', 'farthing explain'],
]

/** What is done at an address, rather than looked at. */
export const DOING_WORDS: readonly (readonly [address: RegExp, command: string])[] = [
  [/with PUT \/v1\/accounts(?![\w/-])/g, 'with `farthing accounts set`'],
  [/\(DELETE \/v1\/keys\/(\w+)\)/g, '(`farthing keys revoke $1`)'],
]

/** A message of the API for someone at the command line: it names commands in the place of addresses. */
export function inCommands(text: string): string {
  return COMMAND_WORDS.reduce(
    (said, [address, command]) =>
      // Only where something is advised: an operation may be named by an address, too.
      said.replaceAll(
        new RegExp(`(see |with |\\()(?:(?:GET|POST) )?${address}(?![\\w/-])`, 'g'),
        `$1\`${command}\``,
      ),
    DOING_WORDS.reduce((said, [address, command]) => said.replaceAll(address, command), text),
  )
}
