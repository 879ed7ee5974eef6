import { bench } from './command.ts'

// What stands in the way is said in one line: a stack trace would help nobody who only wants figures.
bench(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
