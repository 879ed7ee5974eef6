import { expect, test } from 'vitest'
import { inCommands } from './command-words.ts'

for (const [text, said] of [
  ['There is no bill with this id: see /v1/bills for those there are.', 'see `farthing bills` for'],
  ['There is no version 9: see /v1/price-book/versions.', 'see `farthing price-book list`.'],
  ['see GET /v1/held-events', 'see `farthing held`'],
  ['There is no silent source of this name: see /v1/sources/silent.', 'see `farthing sources silent`.'],
  ['There is no account of this name: see /v1/accounts.', 'see `farthing accounts list`.'],
  ['make it known with PUT /v1/accounts, or correct it.', 'with `farthing accounts set`, or'],
  ['revoke it (DELETE /v1/keys/key_a1), and', '(`farthing keys revoke key_a1`), and'],
  ['operation is "GET /v1/events", which', 'operation is "GET /v1/events", which'],
  ['There is nothing at "/v1/billings": look it up.', '"/v1/billings"'],
] as const) {
  test(`for the command line: ${text}`, () => {
    expect(inCommands(text)).toContain(said)
  })
}
