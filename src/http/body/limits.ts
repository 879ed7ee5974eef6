/** Events of one request: enough that more bring no speed, few enough to answer within a second. */
export const BATCH_EVENTS_MAX = 10_000
/** Bytes of a body as it is sent, packed or not: 10,000 events of 1.6 kB. */
export const BODY_BYTES_MAX = 16 * 1024 * 1024
/** Bytes of a body once unpacked. A gzip bomb ends here: what is beyond is never unpacked. */
export const UNPACKED_BYTES_MAX = 32 * 1024 * 1024
/** Bytes of all bodies that are held at one moment, before ingest has taken them: beyond, 429. */
export const HELD_BYTES_MAX = 128 * 1024 * 1024
/** Characters that are kept of a part that could not be read. */
export const UNREADABLE_KEPT = 4096
