import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { CommandFailed, systemReason } from '../terminal/command-failed.ts'
import type { KnownLog, KnownLogs } from './known-logs.ts'

/** Between two times that the state is written. */
export const STATE_SAVED_MS = 1_000

const KIND = 'farthing import state'
const VERSION = 2

/**
 * The logs that were imported with one state, in a file: the next import begins where they end, and tells another log
 * that begins like one of them. It is only written after the server has answered.
 */
export class ImportState {
  readonly #path: string
  #logs: KnownLogs | undefined
  #written: readonly KnownLog[] = []
  #savedAt = performance.now()

  constructor(path: string) {
    this.#path = path
  }

  /**
   * What the file has.
   * @param isNamedByPlace have the lines no request id?
   * @throws CommandFailed when it is no state, or one whose names of lines are others
   */
  read(isNamedByPlace: boolean): readonly KnownLog[] {
    const state = this.#parse()
    if (!state) return []
    if (state.version === VERSION) return state.logs ?? []
    if (!isNamedByPlace) return []
    throw new CommandFailed(
      `${this.#path} is a state of Farthing 0.1, which gave other names to lines without a request id, so that they would count again: ` +
        'see docs/access-logs.md, "After an update from 0.1".',
    )
  }

  /** From here on it follows these. */
  follow(logs: KnownLogs): void {
    this.#logs = logs
    this.#written = logs.all
  }

  /** Something may have changed. */
  changed(): void {
    if (performance.now() - this.#savedAt > STATE_SAVED_MS) this.save()
  }

  /** What is known now, all or nothing: a state that is cut off would be none. */
  save(): void {
    if (!this.#logs || this.#logs.all === this.#written) return
    this.#savedAt = performance.now()
    this.#written = this.#logs.all
    const text = JSON.stringify({ kind: KIND, version: VERSION, logs: this.#written })
    try {
      writeFileSync(`${this.#path}.new`, `${text}\n`)
      renameSync(`${this.#path}.new`, this.#path)
    } catch (error) {
      throw new CommandFailed(`${this.#path} cannot be written (${systemReason(error)}): name another file.`)
    }
  }

  #parse(): StateFile | undefined {
    const path = this.#path
    if (!statSync(path, { throwIfNoEntry: false })) return undefined
    try {
      const text = readFileSync(path, 'utf8')
      // What a full disk or a power failure may leave.
      if (text.trim() === '') return undefined
      const state = JSON.parse(text) as StateFile & { readonly kind?: unknown }
      if (state.kind === KIND) return state
    } catch (error) {
      if (!(error instanceof SyntaxError)) {
        throw new CommandFailed(`${path} cannot be read (${systemReason(error)}): name another file.`)
      }
    }
    throw new CommandFailed(`${path} is no state of an import, and would be overwritten: name another file.`)
  }
}

interface StateFile {
  readonly version?: unknown
  readonly logs?: readonly KnownLog[]
}
