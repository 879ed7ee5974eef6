import { type Random, skewedBelow } from './random.ts'

/** What an operation of the API does when it is called, as far as its events show it. */
export type Operation = Query | SyncOperator | AsyncOperator

/** Answered from the index: a request event, nothing else. */
export interface Query {
  readonly kind: 'query'
  readonly name: string
  /** Ending of the file that is asked for; absent if the call is not about one file. */
  readonly file?: string
}

/** Processes one file while the caller waits: a request event and a processing event. */
export interface SyncOperator {
  readonly kind: 'sync'
  readonly name: string
  readonly file: string
}

/** Starts a task: a request event, and a processing event when the task has ended. */
export interface AsyncOperator {
  readonly kind: 'async'
  readonly name: string
  readonly file: string
  /** The longest task; the typical one takes a quarter of it. */
  readonly longestMs: number
  /** JSON text of the quantities of one task: every unit by which the operator could be priced. */
  quantities(random: Random): string
  /** The first instant for which its price is known; absent: known before any day of ours. */
  readonly pricedFromMs?: number
}

/** The announced change of prices, 11:00 UTC+8: bodies, vehicles and mosaics were free until then. */
export const PRICE_CHANGE_MS = Date.UTC(2025, 6, 28, 3)

/** Not an operation of the real API: nothing prices it, so its events show what being held looks like. */
export const UNKNOWN_OPERATION: SyncOperator = { kind: 'sync', name: 'DetectImageAuras', file: 'jpg' }

/**
 * The operations that are used, by their real names.
 *
 * Of those that process, only the ones with a public price, and three with an illustrative one (media, documents,
 * archives). Image scoring, stitching and the like are left out: their price in July 2025 is not public, and
 * every such event would be held.
 */
export const OPERATIONS: ReadonlyMap<string, Operation> = byName([
  ...queries(
    '',
    'SimpleQuery FuzzyQuery SemanticQuery ContextualRetrieval BatchGetFileMeta BatchIndexFileMeta',
  ),
  ...queries(
    '',
    'QueryFigureClusters GetFigureCluster BatchGetFigureCluster QueryStories GetStory UpdateStory',
  ),
  ...queries('', 'BatchUpdateFileMeta GetDataset ListDatasets GetProject ListProjects GetTask ListTasks'),
  ...queries('jpg', 'GetFileMeta IndexFileMeta UpdateFileMeta DeleteFileMeta'),
  ...operators(
    'DetectImageFaces CompareImageFaces SearchImageFigureCluster DetectImageBodies DetectImageCars',
  ),
  ...operators('DetectImageLabels DetectImageCropping DetectImageCodes AddImageMosaic'),
  {
    kind: 'async',
    name: 'CreateFacesSearchingTask',
    file: 'jpg',
    longestMs: minutes(10),
    quantities: oneCall,
    pricedFromMs: PRICE_CHANGE_MS,
  },
  {
    kind: 'async',
    name: 'CreateFigureClusteringTask',
    file: 'jpg',
    longestMs: minutes(60),
    quantities: oneCall,
  },
  {
    kind: 'async',
    name: 'CreateFigureClustersMergingTask',
    file: 'jpg',
    longestMs: minutes(4),
    quantities: oneCall,
  },
  { kind: 'async', name: 'CreateStory', file: 'jpg', longestMs: minutes(5), quantities: oneCall },
  {
    kind: 'async',
    name: 'CreateImageToPDFTask',
    file: 'pdf',
    longestMs: minutes(3),
    quantities: (random) => `{"call":1,"image":${1 + skewedBelow(random, 80)}}`,
    pricedFromMs: PRICE_CHANGE_MS,
  },
  {
    kind: 'async',
    name: 'CreateMediaConvertTask',
    file: 'mp4',
    longestMs: minutes(90),
    quantities: (random) => `{"call":1,"millisecond":${5_000 + skewedBelow(random, minutes(40))}}`,
  },
  {
    kind: 'async',
    name: 'CreateOfficeConversionTask',
    file: 'docx',
    longestMs: minutes(6),
    quantities: (random) => `{"call":1,"page":${1 + skewedBelow(random, 120)}}`,
  },
  {
    kind: 'async',
    name: 'CreateFileCompressionTask',
    file: 'zip',
    longestMs: minutes(20),
    quantities: (random) => `{"call":1,"byte":"${4_096 + skewedBelow(random, 4_000_000_000)}"}`,
  },
])

export function operationNamed(name: string): Operation {
  const operation = OPERATIONS.get(name)
  if (!operation) throw new Error(`not in the list of operations: ${name}`)
  return operation
}

function queries(file: string, names: string): Query[] {
  return names.split(' ').map((name) => ({ kind: 'query', name, ...(file === '' ? {} : { file }) }))
}

function operators(names: string): SyncOperator[] {
  return names.split(' ').map((name) => ({ kind: 'sync', name, file: 'jpg' }))
}

function byName(operations: readonly Operation[]): ReadonlyMap<string, Operation> {
  return new Map(operations.map((operation) => [operation.name, operation]))
}

function oneCall(): string {
  return '{"call":1}'
}

function minutes(count: number): number {
  return count * 60_000
}
