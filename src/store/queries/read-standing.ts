import type { Query } from '../query.ts'

export interface Standing {
  readonly hasMigrations: boolean
  readonly hasDeployment: boolean
}

/** Which of the tables are there that say what a database is. Reads none of them: they may be missing. */
export const readStanding: Query<void, Standing, Standing> = {
  name: 'read_standing',
  text: `
    select to_regclass('migration') is not null as "hasMigrations",
           to_regclass('deployment') is not null as "hasDeployment"`,
  values: () => [],
  decode: (raw) => raw,
}
