import type { Child } from '../run/child.ts'
import type { Cleanup } from '../run/cleanup.ts'
import type { ScratchServer } from '../run/scratch-server.ts'
import type { Load } from './bodies.ts'
import type { Sent } from './load-process.ts'
import type { TwinTable } from './twin-table.ts'

export interface Measured extends Sent {
  readonly serverCpuSeconds: number
  readonly postgresCpuSeconds: number
}

/** Farthing with a sender, and the table that the baseline fills. */
export interface IngestBench {
  readonly rounds: number
  readonly events: number
  readonly server: ScratchServer
  readonly twin: TwinTable
  readonly cleanup: Cleanup
  /** Make the events of a round, all new; the rest of its description. */
  prepare(load: Pick<Load, 'batch' | 'repeats' | 'events'>): Promise<void>
  /** Send what is prepared to Farthing, or to another server. */
  send(connections: number, to?: { readonly url: string; readonly child: Child }): Promise<Measured>
}
