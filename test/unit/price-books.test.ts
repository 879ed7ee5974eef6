import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { plain } from '../../src/core/money/decimal.ts'
import {
  isIllustrative,
  type PriceTerm,
  type Rate,
  termInForce,
} from '../../src/core/rate/price-book/price-book.ts'
import { type Hour, parseHour } from '../../src/core/time/hour.ts'
import { formatProblem, parsePriceBook } from '../../src/flows/prices/parse-price-book.ts'
import { table } from '../table.ts'

function load(name: string) {
  const parsed = parsePriceBook(readFileSync(`price-books/${name}`), name)
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'))
  return parsed
}

const { book, remarks } = load('imm.yaml')
const byName = new Map(book.rates.map((rate) => [`${rate.item}/${rate.rate}`, rate]))

/** The change announced for 2025-07-28 11:00 UTC+8. */
const CHANGE = parseHour('2025-07-28T03Z')!
const BEFORE = (CHANGE - 1) as Hour

function unmarked(rate: Rate): boolean {
  return rate.terms.some((term) => term.kind === 'price' && !term.illustrative)
}

function shown(term: PriceTerm | undefined): string {
  if (!term) return 'not listed'
  if (term.kind !== 'price') return term.kind
  return term.illustrative ? `${plain(term.unitPrice)} illustrative` : plain(term.unitPrice)
}

// From https://www.alibabacloud.com/help/en/imm/product-overview/billable-items, versions of 2025-07-01 and
// 2026-03-10. The values are those of the page, USD for one pricing unit.
for (const { rate, operations, unit, before, after } of table<
  'rate' | 'operations' | 'unit' | 'before' | 'after'
>(`
  rate                        | operations                                                                              | unit       | before     | after
  ImageDetect/faces           | DetectImageFaces CompareImageFaces SearchImageFigureCluster CreateFacesSearchingTask    | 1000 call  | 0.028      | 0.028
  ImageDetect/bodies          | DetectImageBodies                                                                       | 1000 call  | free       | 0.028
  ImageDetect/vehicles        | DetectImageCars                                                                         | 1000 call  | free       | 0.028
  ImageLabel/default          | DetectImageLabels                                                                       | 1000 call  | 0.142      | 0.142
  ImageFace/default           | CreateFacesSearchingTask                                                                | 1000 call  | not listed | 0.028
  ImageFaceClustering/default | CreateFigureClusteringTask CreateFigureClustersMergingTask                              | 1000 call  | 7.0754717  | 7.0754717
  GenerateStory/default       | CreateStory                                                                             | 1000 call  | 7.0754717  | 7.0754717
  ImageMosaic/default         | AddImageMosaic                                                                          | 1000 call  | free       | 0.0074
  ImageCropping/default       | DetectImageCropping                                                                     | 1000 call  | 0.1415094  | 0.1415094
  ImageQRCodes/default        | DetectImageCodes                                                                        | 1000 call  | 0.1132075  | 0.1132075
  ImageSplicing/default       | CreateImageSplicingTask                                                                 | 1000 call  | free       | unknown
  ImageToPDF/default          | CreateImageToPDFTask                                                                    | 1000 image | unknown    | 0.0074
  IndexStorage/default        |                                                                                         | GB-hour    | free       | free
`)) {
  test(`imm.yaml has the published prices of ${rate}`, () => {
    const found = byName.get(rate)!
    expect(found.operations.join(' ')).toBe(operations)
    expect(found.pricingUnit).toBe(unit)
    expect([shown(termInForce(found, BEFORE)), shown(termInForce(found, CHANGE))]).toEqual([before, after])
  })
}

test('every price of imm.yaml that is not in the table above is marked illustrative', () => {
  const confirmed =
    /^(ImageDetect|ImageLabel|ImageFace|ImageFaceClustering|GenerateStory|ImageMosaic|ImageCropping|ImageQRCodes|ImageToPDF)$/
  const wrong = book.rates.filter((rate) => unmarked(rate) !== confirmed.test(rate.item))
  expect(wrong.map(({ item }) => item)).toEqual([])
  expect(isIllustrative(book)).toBe(true)
})

test('imm.yaml knows the 105 operations of the API 2020-09-30, and no other', () => {
  expect(book.operations.size).toBe(105)
  expect([...book.operations].toSorted()).toEqual(OPERATIONS.toSorted())
})

test('no known operation of imm.yaml is both charged and listed as without a fee', () => {
  expect(remarks.map(({ code }) => code)).toEqual([
    'price_book/illustrative_prices',
    'price_book/unknown_price',
    'price_book/unknown_price',
    'price_book/processing_only',
  ])
})

test('a semantic query costs one query and one understanding', () => {
  const charging = book.rates.filter(({ operations }) => operations.includes('SemanticQuery'))
  expect(charging.map(({ component, item }) => [component, item])).toEqual([
    ['request', 'StandardQueryL2'],
    ['processing', 'SemanticUnderstanding'],
  ])
})

test('minimal.yaml is a book without made-up prices, fit to be copied', () => {
  const minimal = load('minimal.yaml')
  expect(minimal.remarks).toEqual([])
  expect(minimal.book.rates.map(({ item, pricingUnit }) => [item, pricingUnit])).toEqual([
    ['ApiCalls', '1000 call'],
    ['Reports', '1 page'],
  ])
})

// Read from the Go SDK of the API, alibabacloud-go/imm-20200930 5.0.1 of 2026-07-16.
const OPERATIONS = `
  AddImageMosaic CompareImageFaces DetectImageBodies DetectImageCars DetectImageCodes DetectImageCropping
  DetectImageFaces DetectImageLabels DetectImageScore DetectImageTexts EncodeBlindWatermark
  SearchImageFigureCluster DetectMediaMeta GenerateVideoPlaylist GetDRMLicense ExtractDocumentText
  DetectTextAnomaly GenerateWebofficeToken RefreshWebofficeToken CreateArchiveFileInspectionTask
  CreateCompressPointCloudTask CreateDecodeBlindWatermarkTask CreateFacesSearchingTask
  CreateFigureClusteringTask CreateFigureClustersMergingTask CreateFileCompressionTask
  CreateFileUncompressionTask CreateHighlightTask CreateImageModerationTask CreateImageSplicingTask
  CreateImageToPDFTask CreateLocationDateClusteringTask CreateMediaConvertTask CreateOfficeConversionTask
  CreateSimilarImageClusteringTask CreateVideoLabelClassificationTask CreateVideoModerationTask
  CreateDataset GetDataset ListDatasets UpdateDataset DeleteDataset CreateBinding GetBinding ListBindings
  DeleteBinding IndexFileMeta BatchIndexFileMeta GetFileMeta BatchGetFileMeta UpdateFileMeta
  BatchUpdateFileMeta DeleteFileMeta BatchDeleteFileMeta SimpleQuery FuzzyQuery SemanticQuery
  ContextualRetrieval ContextualAnswer GetFigureCluster BatchGetFigureCluster QueryFigureClusters
  UpdateFigureCluster QueryLocationDateClusters UpdateLocationDateCluster DeleteLocationDateCluster
  QuerySimilarImageClusters CreateStory CreateCustomizedStory GetStory QueryStories UpdateStory DeleteStory
  AddStoryFiles RemoveStoryFiles CreateProject GetProject UpdateProject DeleteProject ListProjects ListRegions
  AttachOSSBucket DetachOSSBucket GetOSSBucketAttachment ListAttachedOSSBuckets GetTask ListTasks
  GetDecodeBlindWatermarkResult GetImageModerationResult GetVideoModerationResult
  GetVideoLabelClassificationResult CreateBatch GetBatch UpdateBatch DeleteBatch SuspendBatch ResumeBatch
  ListBatches CreateTrigger GetTrigger UpdateTrigger DeleteTrigger SuspendTrigger ResumeTrigger ListTriggers
`
  .trim()
  .split(/\s+/)
