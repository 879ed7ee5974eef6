import { rescueKey } from '../../flows/keys/rescue-key.ts'
import { type ReadOwnSettings, withDatabase } from '../own-database.ts'
import { print, printJson, remark } from '../terminal/terminal.ts'

export interface RescueOptions {
  readonly json?: true
}

/** A new admin key: its text goes to a terminal only, else the place of its file. */
export async function rescue({ json }: RescueOptions, readSettings: ReadOwnSettings): Promise<void> {
  const { id, key, path } = await withDatabase(readSettings, (pool, { dataDir }) => rescueKey(pool, dataDir))
  if (json) return printJson({ id, adminKeyPath: path })
  print(process.stdout.isTTY ? key : path)
  remark(`This is the admin key ${id}. It is in ${path}, where commands on this machine find it.`)
}
