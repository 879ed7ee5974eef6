import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { invariant } from '../../core/invariant.ts'

/** The path of a file that is shipped with Farthing, whether the sources or the compiled program run. */
export function projectFile(path: string): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) {
    invariant(folder !== dirname(folder), 'the program lies below its package.json')
    folder = dirname(folder)
  }
  return join(folder, path)
}
