import { createWriteStream } from 'node:fs'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { Command, InvalidArgumentError, Option } from 'commander'
import { generateDay } from './day.ts'
import { generateHour } from './hour.ts'
import { SAMPLE } from './sample.ts'
import { inBlocks } from './wire.ts'

const NAME = 'node dist/bench/generate/main.js'

interface Choices {
  readonly seed: number
  readonly day: string
  readonly hour?: string
  readonly accounts: number | 'demo'
  readonly events: number
  readonly out: string
  readonly gzip: boolean
}

/**
 * The command line of the generator.
 * @param stdout takes the events if no file is asked for; that nobody reads on (`| head`) is no error
 */
export async function generate(argv: readonly string[], stdout: Writable): Promise<void> {
  await command(async (choices) => {
    const text = Readable.from(inBlocks(linesOf(choices)))
    const target = choices.out === '-' ? stdout : createWriteStream(choices.out)
    try {
      // The time in a gzip header is 0 in Node: the same events make the same file.
      await (choices.gzip ? pipeline(text, createGzip({ level: 9 }), target) : pipeline(text, target))
    } catch (error) {
      if (!isBrokenPipe(error)) throw error
    }
  }).parseAsync(argv, { from: 'user' })
}

function linesOf(choices: Choices): Iterable<string> {
  const { seed, day, hour, accounts, events } = choices
  if (hour === undefined) {
    return generateDay({ seed, day, events, accounts: accounts === 'demo' ? SAMPLE.accounts : accounts })
  }
  if (accounts === 'demo') throw new InvalidArgumentError('--hour needs --accounts NUMBER')
  return generateHour({ seed, hour, accounts, events })
}

function command(run: (choices: Choices) => Promise<void>): Command {
  return new Command(NAME)
    .description('Write realistic usage events: CloudEvents, one a line, in order of arrival.')
    .option('--seed <number>', 'the same seed makes the same bytes', wholeNumber, SAMPLE.seed)
    .option('--day <YYYY-MM-DD>', 'a UTC day, with everything that happens in one', SAMPLE.day)
    .addOption(
      new Option('--hour <YYYY-MM-DDTHH>', 'instead of a day, a UTC hour of even load').conflicts('day'),
    )
    .option('--accounts <number>', 'how many, or "demo" for the ten with names', accountsOf, 'demo')
    .option('--events <number>', 'lines in all, exactly', wholeNumber, SAMPLE.events)
    .option('--out <file>', 'where to write, - for standard output', '-')
    .option('--gzip', 'compress', false)
    .addHelpText('after', EXAMPLES)
    .action(run)
}

const EXAMPLES = `
Without options this makes the day of samples/imm-day.ndjson.gz.

Examples:
  ${NAME} --gzip --out samples/imm-day.ndjson.gz
  ${NAME} --seed 8 --day 2025-07-29 --accounts 40 | head -3
  ${NAME} --hour 2025-07-28T03 --accounts 200000 --events 2000000 --out load.ndjson
`

function wholeNumber(text: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}

function accountsOf(text: string): number | 'demo' {
  return text === 'demo' ? text : wholeNumber(text)
}

function isBrokenPipe(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE'
}
