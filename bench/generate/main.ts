import { generate } from './command.ts'

// What is wrong with the options is said in one line: a stack trace would help nobody.
generate(process.argv.slice(2), process.stdout).catch((error: unknown) => {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
