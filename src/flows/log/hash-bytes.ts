import { hash } from 'node:crypto'
import type { HashBytes } from '../../core/log/tree-hash.ts'

/** SHA-256 of bytes. */
export const hashBytes: HashBytes = (bytes) => hash('sha256', bytes, 'buffer')
