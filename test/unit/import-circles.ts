import { posix } from 'node:path'
import { importsOf, readCode } from './tidy-syntax.ts'

/**
 * Files that import each other, directly or by way of others, types included: nobody can read one of them first.
 * @param files their texts by path, from the root of the repository
 * @returns each circle as the paths on it, in the order of the imports
 */
export function importCircles(files: ReadonlyMap<string, string>): readonly (readonly string[])[] {
  const imports = new Map([...files].map(([path, text]) => [path, importedBy(path, text, files)]))
  const done = new Set<string>()
  const circles: string[][] = []

  function follow(path: string, way: readonly string[]): void {
    const since = way.indexOf(path)
    if (since !== -1) {
      circles.push(way.slice(since))
      return
    }
    if (done.has(path)) return
    for (const next of imports.get(path)!) follow(next, [...way, path])
    done.add(path)
  }

  for (const path of files.keys()) follow(path, [])
  return circles
}

function importedBy(path: string, text: string, files: ReadonlyMap<string, string>): readonly string[] {
  const targets = importsOf(readCode(path, text)).map(({ from }) => posix.join(posix.dirname(path), from))
  return targets.filter((target) => files.has(target))
}
