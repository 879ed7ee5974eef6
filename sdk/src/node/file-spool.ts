import {
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
import { agree, countOf } from '../count-of.ts'
import { refuseUnknown } from '../known-members.ts'
import { invalidOption, MeterError } from '../meter-error.ts'
import { readUrl } from '../options.ts'
import type { Adopted, OpenSpool, Spool, SpoolOwner } from '../spool.ts'
import { isAlive, beat } from './process-life.ts'
import { type FsyncRule, SpoolFile, syncFolder } from './spool-file.ts'
import { readHeader, readSpool } from './spool-lines.ts'

export interface FileSpoolOptions {
  /** On a local disk. Any number of processes may share it; it is made if it is not there. */
  readonly folder: string
  /** `never` (left out): facts survive the end of the process. `always`: that of the machine too, for an fsync. */
  readonly fsync?: FsyncRule
  /**
   * Urls under which meters with this folder were made before, such as one that was wrong: what is left for them is sent
   * to this meter's url.
   */
  readonly formerUrls?: readonly string[]
}

/** `<process>.spool`, or `<process>.<origin>.spool`: what a process has taken over from one that has ended. */
const NAME = /^(?:([0-9a-f]+)\.)?([0-9a-f]+)\.spool$/

/**
 * Every fact is in a file before it counts as taken, until it is delivered. What a process leaves, because it was
 * killed or closed, is sent by the next meter that has the same folder and url.
 */
export function fileSpool(options: FileSpoolOptions): Spool {
  if (typeof options !== 'object' || options === null) {
    throw invalidOption('The options of fileSpool are missing: pass { folder }.')
  }
  refuseUnknown(options, ['folder', 'fsync', 'formerUrls'], 'the options of fileSpool', invalidOption)
  const { folder, fsync = 'never', formerUrls = [] } = options
  if (typeof folder !== 'string' || folder === '') {
    throw invalidOption('folder is missing: name a folder on a local disk.')
  }
  if (!['never', 'always'].includes(fsync)) {
    throw invalidOption('fsync is neither "never" nor "always": pass one of them.')
  }
  if (!Array.isArray(formerUrls)) throw invalidOption('formerUrls is no list of urls: pass one.')
  const former = formerUrls.map(readUrl)
  return { open: (owner) => openSpool({ folder: resolve(folder), rule: fsync, former }, owner) }
}

interface SpoolSettings {
  readonly folder: string
  readonly rule: FsyncRule
  readonly former: readonly string[]
}

function openSpool({ folder, rule, former }: SpoolSettings, owner: SpoolOwner): OpenSpool {
  const left: LeftOver = { folder, urls: [owner.url, ...former], elsewhere: new Set() }
  const at = (name: string) => join(folder, name)
  let endHeartbeat: (() => Promise<void>) | undefined
  let file: SpoolFile
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    // First the heartbeat, then the file: nobody can see the file of a process that shows none and lives.
    endHeartbeat = beat(at(`${owner.run}.sock`))
    file = new SpoolFile(at(`${owner.run}.spool`), owner, rule)
    if (rule === 'always') syncFolder(folder)
  } catch (error) {
    void endHeartbeat?.()
    if (error instanceof MeterError) throw error
    const detail = `The spool in ${folder} cannot be made: ${(error as Error).message}. Use another folder.`
    throw new MeterError('sdk/spool_unusable', detail, { cause: error })
  }
  return {
    append: (record) => file.append(record),
    durable: () => file.durable(),
    settle: (bytes) => file.settle(bytes),
    adopt: () => adopt(left, owner),
    async close() {
      await file.close()
      await endHeartbeat?.()
    },
  }
}

interface LeftOver {
  readonly folder: string
  /** What is meant for one of these is taken over. */
  readonly urls: readonly string[]
  /** Files for another url of which was told. */
  readonly elsewhere: Set<string>
}

/** The first file whose process has ended. Taking it over is a rename, which only one can do. */
async function adopt(left: LeftOver, owner: SpoolOwner): Promise<Adopted | undefined> {
  const { folder, urls } = left
  for (const name of readdirSync(folder).sort()) {
    const [, holder, origin] = NAME.exec(name) ?? []
    const process = holder ?? origin
    if (origin === undefined || process === undefined || process === owner.run) continue
    const url = urlOf(join(folder, name))
    if (url === undefined || (await isAlive(join(folder, `${process}.sock`)))) continue
    if (!urls.includes(url)) {
      tellElsewhere(left, { name, url }, owner)
      continue
    }
    const path = join(folder, `${owner.run}.${origin}.spool`)
    if (!renamed(join(folder, name), path)) continue
    for (const rest of [`${process}.sock`, `${process}.spool.new`])
      rmSync(join(folder, rest), { force: true })
    return takeOver(path, owner)
  }
  return undefined
}

/** Nobody sends these unless a meter with that url is made again. */
function tellElsewhere(
  { folder, elsewhere }: LeftOver,
  { name, url }: { readonly name: string; readonly url: string },
  { trouble }: SpoolOwner,
): void {
  if (elsewhere.has(name)) return
  elsewhere.add(name)
  const base = url.replace(/\/v1\/events$/, '')
  const detail = `${join(folder, name)} has events for ${base}, to which this meter does not send.`
  trouble('sdk/spool_elsewhere', `${detail} If that url was wrong, name it in formerUrls of fileSpool.`)
}

function takeOver(path: string, owner: SpoolOwner): Adopted {
  const { events, damaged } = readSpool(readFileSync(path))
  if (damaged > 0) {
    const was = agree(damaged, 'was half-written or damaged, and is', 'were half-written or damaged, and are')
    const detail = `${countOf(damaged, 'line')} of ${path} ${was} left out.`
    const rest = `${countOf(events.length, 'event')} of it ${agree(events.length, 'is', 'are')} sent.`
    owner.trouble('sdk/spool_damaged', `${detail} ${rest}`)
  }
  return { events, damaged, done: () => rmSync(path, { force: true }) }
}

/** The first line has no more than this, whatever url is in it. */
const HEADER_BYTES = 16_384

function urlOf(path: string): string | undefined {
  let file: number | undefined
  try {
    file = openSync(path, 'r')
    const start = Buffer.alloc(HEADER_BYTES)
    return readHeader(start.subarray(0, readSync(file, start)))
  } catch {
    // It was taken over by another process at this moment.
    return undefined
  } finally {
    if (file !== undefined) closeSync(file)
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
