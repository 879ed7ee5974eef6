import { writeFileSync } from 'node:fs'
import { Command } from 'commander'
import { examples, prose } from '../terminal/help-text.ts'
import { makeApi } from '../client/server-api.ts'
import { serverAddress, type ServerOptions, withServerOptions } from '../client/server-address.ts'
import { CommandFailed, systemReason } from '../terminal/command-failed.ts'
import { wholeNumber } from '../terminal/whole-number.ts'
import { remark } from '../terminal/terminal.ts'

interface ProofOptions extends ServerOptions {
  readonly out?: string
  readonly since?: number
}

/** `proof`: all that a third person needs to check a bill against the log. */
export function proofCommand(): Command {
  const command = new Command('proof')
    .summary('write what proves that a bill is in the transparency log')
    .description(
      prose(`Writes the bill, its entry in the log, the salt, the path to the root, and the signed checkpoint: all that
        somebody needs who trusts nobody. proof/verify-bill.mjs checks it, step by step, with nothing but Node.js or a
        browser.`),
    )
    .argument('<bill>', 'its id, as `farthing bills` lists it')
    .option('--out <file>', 'write it into this file, not to standard output')
    .option('--since <size>', 'also prove that the log begins with your checkpoint of this size', wholeNumber)
  return withServerOptions(command)
    .addHelpText(
      'after',
      examples(['farthing proof 2025-07-28T03Z.acme --out proof.json', 'for somebody who wants to check it']),
    )
    .action(proof)
}

async function proof(id: string, { out, since, ...options }: ProofOptions): Promise<void> {
  const api = makeApi(serverAddress(options))
  const params = { id }
  const proved = await api.json('GET /v1/bills/:id/proof', { params, query: { since } })
  const bill = await api.json('GET /v1/bills/:id', { params })
  const text = `${JSON.stringify({ bill, proof: proved }, null, 2)}\n`
  if (out === undefined) process.stdout.write(text)
  else {
    try {
      writeFileSync(out, text)
    } catch (error) {
      throw new CommandFailed(`${out} cannot be written (${systemReason(error)}): name another file.`)
    }
  }
  if (!proved.signed) remark('The log is not signed: anyone who holds the database could have made another.')
}
