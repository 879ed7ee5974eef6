import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import type { CloudEvent } from '../facts.ts'
import { MeterError } from '../meter-error.ts'
import type { Adopted, OpenSpool, Spool, SpoolOwner } from '../spool.ts'
import { isAlive, showLife } from './process-life.ts'
import { type FsyncRule, SpoolFile, syncFolder } from './spool-file.ts'
import { readHeader, readSpool } from './spool-lines.ts'

export interface FileSpoolOptions {
  /** On a local disk. Any number of processes may share it; it is made if it is not there. */
  readonly folder: string
  /** `never` (left out): facts survive the end of the process. `always`: that of the machine too, for an fsync. */
  readonly fsync?: FsyncRule
}

/** `<process>.spool`, or `<process>.<origin>.spool`: what a process has taken over from one that has ended. */
const NAME = /^(?:([0-9a-f]+)\.)?([0-9a-f]+)\.spool$/

/**
 * Every fact is in a file before it counts as taken, until it is delivered. What a process leaves, because it was
 * killed or closed, is sent by the next meter that has the same folder and url.
 */
export function fileSpool({ folder, fsync = 'never' }: FileSpoolOptions): Spool {
  if (typeof folder !== 'string' || folder === '') {
    throw new MeterError('sdk/invalid_option', 'folder is missing: name a folder on a local disk.')
  }
  if (!['never', 'always'].includes(fsync)) {
    throw new MeterError('sdk/invalid_option', 'fsync is neither "never" nor "always": pass one of them.')
  }
  return { open: (owner) => openSpool(resolve(folder), owner, fsync) }
}

function openSpool(folder: string, owner: SpoolOwner, rule: FsyncRule): OpenSpool {
  const at = (name: string) => join(folder, name)
  let endLife: (() => Promise<void>) | undefined
  let file: SpoolFile
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    // First the sign of life, then the file: nobody can see the file of a process that shows none and lives.
    endLife = showLife(at(`${owner.run}.sock`))
    file = new SpoolFile(at(`${owner.run}.spool`), owner, rule)
    if (rule === 'always') syncFolder(folder)
  } catch (error) {
    void endLife?.()
    if (error instanceof MeterError) throw error
    const detail = `The spool in ${folder} cannot be made: ${(error as Error).message}. Use another folder.`
    throw new MeterError('sdk/spool_unusable', detail, { cause: error })
  }
  return {
    append: (record) => file.append(record),
    durable: () => file.durable(),
    settle: (bytes) => file.settle(bytes),
    refuse: (events) => keepRefused(at(`${owner.run}.refused.ndjson`), events, owner),
    adopt: () => adopt(folder, owner),
    async close() {
      await file.close()
      await endLife?.()
    },
  }
}

/** The first file whose process has ended. Taking it over is a rename, which only one can do. */
async function adopt(folder: string, owner: SpoolOwner): Promise<Adopted | undefined> {
  for (const name of readdirSync(folder).sort()) {
    const [, holder, origin] = NAME.exec(name) ?? []
    const process = holder ?? origin
    if (origin === undefined || process === undefined || process === owner.run) continue
    if (!isFor(join(folder, name), owner.url) || (await isAlive(join(folder, `${process}.sock`)))) continue
    const path = join(folder, `${owner.run}.${origin}.spool`)
    if (!renamed(join(folder, name), path)) continue
    for (const left of [`${process}.sock`, `${process}.spool.new`])
      rmSync(join(folder, left), { force: true })
    return takeOver(path, owner)
  }
  return undefined
}

function takeOver(path: string, owner: SpoolOwner): Adopted {
  const { events, damaged } = readSpool(readFileSync(path))
  if (damaged > 0) {
    const detail = `${damaged} lines of ${path} were half-written or damaged, and are left out.`
    owner.trouble('sdk/spool_damaged', `${detail} The other ${events.length} events are sent.`)
  }
  return { events, damaged, done: () => rmSync(path, { force: true }) }
}

/** The first line has no more than this, whatever url is in it. */
const HEADER_BYTES = 16_384

function isFor(path: string, url: string): boolean {
  let file: number | undefined
  try {
    file = openSync(path, 'r')
    const start = Buffer.alloc(HEADER_BYTES)
    return readHeader(start.subarray(0, readSync(file, start))) === url
  } catch {
    // It was taken over by another process at this moment.
    return false
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

/** One event a line, as `farthing import` reads them. */
function keepRefused(path: string, events: readonly CloudEvent[], { trouble }: SpoolOwner): void {
  try {
    appendFileSync(path, events.map((event) => `${JSON.stringify(event)}\n`).join(''), { mode: 0o600 })
  } catch (error) {
    const detail = `${events.length} refused events could not be kept in ${path}: ${(error as Error).message}`
    trouble('sdk/spool_not_written', `${detail}.`)
  }
}

function renamed(from: string, to: string): boolean {
  try {
    renameSync(from, to)
    return true
  } catch {
    return false
  }
}
