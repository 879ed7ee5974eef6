import { readFileSync } from 'node:fs'
import { CommandFailed, systemReason } from './command-failed.ts'

/**
 * The bytes of a file that a command names; - is standard input.
 * @param what it should be, for the message: `price book`
 */
export function readBytes(path: string, what: string): Uint8Array {
  try {
    return readFileSync(path === '-' ? 0 : path)
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error
    throw new CommandFailed(`The ${what} ${path} cannot be read (${systemReason(error)}): check the name.`)
  }
}

/** As messages call it. */
export function nameOfFile(path: string): string {
  return path === '-' ? 'standard input' : path
}
