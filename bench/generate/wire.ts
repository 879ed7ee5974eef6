/**
 * Events as text: one CloudEvents 1.0 object on one line, without the newline.
 *
 * Written as templates, not with JSON.stringify: a load test needs more events a second than the system under
 * test can take. Hence no value is escaped: names are checked once (`accounts.ts`), the rest is our own.
 */

/** Whose usage it is, and where. An absent project or region is left out. */
export interface Place {
  readonly account: string
  readonly source: string
  readonly project?: string | undefined
  readonly region?: string | undefined
}

export interface RequestData {
  readonly operation: string
  readonly status: number
  /** The calls that the sender has summed into one event. */
  readonly count?: number | undefined
  /** The task that the call has started. */
  readonly task?: string | undefined
  readonly resource?: string | undefined
}

export function requestLine(id: string, atMs: number, place: Place, data: RequestData): string {
  const count = data.count === undefined ? '' : `,"count":${data.count}`
  const task = data.task === undefined ? '' : `,"task":"${data.task}"`
  const fields = `"operation":"${data.operation}","status":${data.status}${count}${task}`
  return eventLine(id, 'farthing.request', atMs, place, fields + resourceField(data.resource))
}

export interface ProcessingData {
  readonly operation: string
  /** The name of the task if it was asynchronous. */
  readonly task?: string | undefined
  readonly outcome?: 'succeeded' | 'failed' | undefined
  /** JSON text of an object: unit to quantity. */
  readonly quantities?: string | undefined
  readonly resource?: string | undefined
}

/** @param atMs when processing was completed */
export function processingLine(id: string, atMs: number, place: Place, data: ProcessingData): string {
  const mode = data.task === undefined ? `"mode":"sync"` : `"mode":"async","task":"${data.task}"`
  const outcome = data.outcome === undefined ? '' : `,"outcome":"${data.outcome}"`
  const quantities = data.quantities === undefined ? '' : `,"quantities":${data.quantities}`
  const fields = `"operation":"${data.operation}",${mode}${outcome}${quantities}`
  return eventLine(id, 'farthing.processing', atMs, place, fields + resourceField(data.resource))
}

/**
 * @param atMs the instant from which on the dataset has this level
 * @param bytes a safe integer, written as a decimal string
 */
export function storageLine(id: string, atMs: number, place: Place, dataset: string, bytes: number): string {
  return eventLine(id, 'farthing.storage', atMs, place, `"dataset":"${dataset}","bytes":"${bytes}"`)
}

function eventLine(id: string, type: string, atMs: number, place: Place, fields: string): string {
  const project = place.project === undefined ? '' : `,"project":"${place.project}"`
  const region = place.region === undefined ? '' : `,"region":"${place.region}"`
  return `{"specversion":"1.0","id":"${id}","source":"${place.source}","type":"${type}","subject":"${place.account}","time":"${timeText(atMs)}","data":{${fields}${project}${region}}}`
}

const MILLISECONDS = Array.from({ length: 1000 }, (_, number) => `${String(number).padStart(3, '0')}Z`)
let lastSecond = NaN
let lastSecondText = ''

/** As toISOString, which would take most of the time: neighbouring events mostly share their second. */
function timeText(atMs: number): string {
  const second = Math.floor(atMs / 1000)
  if (second !== lastSecond) {
    lastSecond = second
    lastSecondText = new Date(second * 1000).toISOString().slice(0, -4)
  }
  return lastSecondText + MILLISECONDS[atMs - second * 1000]!
}

function resourceField(resource: string | undefined): string {
  return resource === undefined ? '' : `,"resource":"${resource}"`
}

/** Characters in a block: large enough that writing costs little, small enough to stay unnoticed in memory. */
const BLOCK_CHARACTERS = 64 * 1024

/** NDJSON in blocks of whole lines, each line ended by a newline. Lines are ASCII, hence one byte a character. */
export function* inBlocks(lines: Iterable<string>): Generator<Buffer, void, undefined> {
  let block = ''
  for (const line of lines) {
    block += `${line}\n`
    if (block.length < BLOCK_CHARACTERS) continue
    yield Buffer.from(block, 'latin1')
    block = ''
  }
  if (block !== '') yield Buffer.from(block, 'latin1')
}
