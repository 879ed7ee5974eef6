export { closeOnSignals, type CloseOnSignals } from './node/close-on-signals.ts'
export { fileSpool, type FileSpoolOptions } from './node/file-spool.ts'
export type { FsyncRule } from './node/spool-file.ts'
