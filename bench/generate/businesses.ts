import { type Operation, operationNamed } from './operations.ts'

/** What an account sells, and so which operations it calls, each with its weight. */
const WEIGHTS = {
  photos: `SimpleQuery 26  GetFileMeta 12  BatchGetFileMeta 6  IndexFileMeta 12  QueryFigureClusters 5
           BatchGetFigureCluster 3  QueryStories 2  GetTask 4  DetectImageFaces 13  DetectImageLabels 7
           CompareImageFaces 2  SearchImageFigureCluster 2  DetectImageBodies 3  AddImageMosaic 1
           CreateFigureClusteringTask 1  CreateStory 1  CreateFacesSearchingTask 1`,
  news: `SimpleQuery 16  FuzzyQuery 14  GetFileMeta 9  IndexFileMeta 8  UpdateFileMeta 3  GetTask 3
         DetectImageCropping 14  AddImageMosaic 11  DetectImageBodies 9  DetectImageFaces 6  DetectImageLabels 5
         CreateImageToPDFTask 1  CreateMediaConvertTask 1`,
  motors: `SimpleQuery 20  GetFileMeta 10  IndexFileMeta 12  DeleteFileMeta 4  GetProject 1  DetectImageCars 32
           AddImageMosaic 11  DetectImageBodies 7  DetectImageCodes 3`,
  video: `SimpleQuery 24  GetFileMeta 12  GetTask 30  ListTasks 4  DetectImageCropping 8  DetectImageLabels 5
          DetectImageFaces 3  CreateMediaConvertTask 13  CreateFileCompressionTask 1`,
  retail: `SimpleQuery 20  SemanticQuery 12  GetFileMeta 10  IndexFileMeta 8  DetectImageCodes 24
           DetectImageLabels 12  DetectImageCropping 12  AddImageMosaic 2`,
  office: `FuzzyQuery 16  SimpleQuery 8  GetTask 28  ListTasks 5  GetFileMeta 8  CreateOfficeConversionTask 19
           CreateImageToPDFTask 8  CreateFileCompressionTask 5  DetectImageCodes 3`,
  search: `SemanticQuery 22  SimpleQuery 20  FuzzyQuery 10  ContextualRetrieval 6  IndexFileMeta 10
           BatchIndexFileMeta 8  BatchUpdateFileMeta 4  GetDataset 3  ListDatasets 2  DetectImageLabels 9
           DetectImageFaces 4  CreateFigureClustersMergingTask 1  GetFigureCluster 1`,
}

export type Business = keyof typeof WEIGHTS

export const BUSINESSES = Object.keys(WEIGHTS) as readonly Business[]

const CALLS = new Map(BUSINESSES.map((business) => [business, expand(WEIGHTS[business])]))

/** Every operation as often as its weight says: an element drawn at random is a call drawn by weight. */
export function callsOf(business: Business): readonly Operation[] {
  return CALLS.get(business)!
}

function expand(weights: string): Operation[] {
  return Array.from(weights.matchAll(/(\w+) (\d+)/g)).flatMap(([, name, weight]) =>
    Array.from({ length: Number(weight) }, () => operationNamed(name!)),
  )
}
