import { expect, test } from 'vitest'
import { settings } from '../../src/store/embedded/settings.ts'
import { table } from '../table.ts'

for (const { memory, shared, cache, maintenance, because } of table(`
  memory | shared | cache   | maintenance | because
  256    | 128MB  | 128MB   | 64MB        | a small container still gets what PostgreSQL needs
  8192   | 1024MB | 4096MB  | 256MB       | an eighth of the memory
  65536  | 2048MB | 32768MB | 512MB       | more would only make checkpoints longer
`)) {
  test(`with ${memory} MiB of memory: ${because}`, () => {
    expect(
      settings({ socketDir: '/s', logs: '/l', pgdata: '/d', memory: Number(memory) * 2 ** 20 }),
    ).toMatchObject({
      shared_buffers: shared,
      effective_cache_size: cache,
      maintenance_work_mem: maintenance,
      fsync: 'on',
      hba_file: '/d/pg_hba.conf',
    })
  })
}
