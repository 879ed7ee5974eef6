import { statfs } from 'node:fs/promises'

/** Fewer free bytes in the data directory are a warning. */
export const FREE_BYTES_MIN = 1024 * 1024 * 1024

/** Bytes that a user who is not root can still write there; undefined: the system does not say. */
export async function freeBytes(directory: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(directory)
    return bavail * bsize
  } catch {
    return undefined
  }
}
