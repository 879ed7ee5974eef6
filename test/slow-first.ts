import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** The slow files, the slowest first, as a quiet machine has them. */
export const SLOW: readonly string[] = [
  'test/system/clock-gap.test.ts',
  'test/system/cli-backup.test.ts',
  'test/system/cli-every-command.test.ts',
  'test/system/hostile-process.test.ts',
  'test/system/sustained-load.test.ts',
  'test/system/leaves-nothing.test.ts',
  'test/system/start-refused.test.ts',
  'test/system/embedded-access.test.ts',
  'test/system/embedded.test.ts',
  'test/system/years-of-days.test.ts',
  'test/system/stopped-processes.test.ts',
  'test/system/serve-process.test.ts',
  'test/system/schema.test.ts',
  'test/system/embedded-root.test.ts',
  'test/system/restamped.test.ts',
  'test/system/cli-bills.test.ts',
  'test/system/simulation.test.ts',
  'test/system/crash-process.test.ts',
  'sdk/test/delivery.test.ts',
]

/**
 * Slow files begin first, so that the run does not end with one core waiting for the other. Vitest does so by itself
 * from the second run on; the first one, and so every run of CI, would begin with the longest texts.
 */
export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const gone = SLOW.filter((name) => !existsSync(join(this.ctx.config.root, name)))
    if (gone.length > 0) throw new Error(`Not there any more: take ${gone.join()} off test/slow-first.ts.`)
    const sorted = await super.sort(files)
    return sorted.toSorted((a, b) => placeOf(a) - placeOf(b))
  }
}

function placeOf({ moduleId }: TestSpecification): number {
  const place = SLOW.findIndex((name) => moduleId.endsWith(`/${name}`))
  return place === -1 ? SLOW.length : place
}
