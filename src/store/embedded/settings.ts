import { existsSync, statfsSync } from 'node:fs'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { HBA, IDENT } from './access.ts'

const MIB = 2 ** 20

/** The newest few files of this size are kept (last-words.ts). */
const LOG_FILE_MIB = 10

/** Below this, a parallel query can fill /dev/shm (docker gives 64 MB), and fails. */
const SHM_BYTES_MIN = 256 * MIB

/** What the server needs to know of its surroundings. */
export interface Surroundings {
  readonly socketDir: string
  readonly logs: string
  /** PostgreSQL's own directory. */
  readonly pgdata: string
  /** Of this machine or this container, whichever has less, in bytes. */
  readonly memory: number
}

/**
 * The server's settings. They are given at each start rather than written into a file, so that a new version's
 * hold for old data, and an edited file cannot turn `fsync` off.
 */
export function settings({ socketDir, logs, pgdata, memory }: Surroundings): Record<string, string> {
  return {
    listen_addresses: '',
    unix_socket_directories: `"${socketDir.replaceAll('"', '""')}"`,
    unix_socket_permissions: '0700',
    // Who is let in (access.ts).
    hba_file: join(pgdata, HBA),
    ident_file: join(pgdata, IDENT),
    max_connections: '100',
    cluster_name: 'farthing',
    timezone: 'UTC',
    log_timezone: 'UTC',

    fsync: 'on',
    full_page_writes: 'on',
    synchronous_commit: 'on',
    // The package's PostgreSQL is built without lz4, and pglz takes longer than writing more (docs/performance-journal.md).
    wal_compression: 'off',
    max_wal_size: '4GB',
    // What PostgreSQL takes by itself for a log in larger files.
    min_wal_size: '80MB',
    wal_buffers: `${clamp(sharedBuffersMib(memory) / 32, 4, 16)}MB`,
    checkpoint_timeout: '15min',

    shared_buffers: `${sharedBuffersMib(memory)}MB`,
    effective_cache_size: `${Math.round(memory / 2 / MIB)}MB`,
    maintenance_work_mem: `${clamp(memory / 32 / MIB, 64, 512)}MB`,
    work_mem: '16MB',
    ...dynamicSharedMemory(),
    // A query over many days locks every partition and its indexes.
    max_locks_per_transaction: '256',
    jit: 'off',
    random_page_cost: '1.1',

    logging_collector: 'on',
    log_directory: logs,
    log_filename: 'postgresql-%Y%m%d-%H%M%S.log',
    log_rotation_size: `${LOG_FILE_MIB}MB`,
    log_rotation_age: '0',
    log_line_prefix: '%m [%p] %a ',
  }
}

export function sharedBuffersMib(memory: number): number {
  return clamp(memory / 8 / MIB, 128, 2048)
}

/** Bytes that this process may count on: a container's limit, if it has one, else the machine's memory. */
export function usableMemory(): number {
  return Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY)
}

function clamp(value: number, min: number, max: number): number {
  return Math.round(Math.min(Math.max(value, min), max))
}

function dynamicSharedMemory(): Record<string, string> {
  if (process.platform !== 'linux' || !existsSync('/dev/shm')) return {}
  const { bsize, blocks } = statfsSync('/dev/shm')
  return { dynamic_shared_memory_type: bsize * blocks < SHM_BYTES_MIN ? 'sysv' : 'posix' }
}
