/** What a run can be told. What it is not told, each part decides by itself. */
export interface BenchOptions {
  readonly events?: number
  readonly accounts?: number
  readonly rounds?: number
  readonly preload?: number
  /** Is the preload spread over the hours of the day so far? Otherwise it lies in the hour that is sent to. */
  readonly spread?: boolean
  /** Is settling measured with tiers and price lists against settling without them? */
  readonly priced?: boolean
  /** Of sustained load. */
  readonly seconds?: number
  /** A folder for the CPU profiles of Farthing's processes. */
  readonly cpuProf?: string
}
