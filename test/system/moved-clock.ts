import type pg from 'pg'
import type { Connection } from '../../src/store/connect.ts'

/** What a session needs so that the database's clock can be moved: our `clock_timestamp` hides PostgreSQL's. */
export function movable(connection: Connection): Connection {
  return { ...connection, searchPath: 'farthing, public, pg_catalog' }
}

/** Make the clock of a database movable, for all sessions whose connection is `movable`. */
export async function makeClockMovable(pool: pg.Pool): Promise<void> {
  await pool.query(`
    create table public.moved_clock (ahead interval not null);
    insert into public.moved_clock values ('0');
    create function public.clock_timestamp() returns timestamptz language sql volatile as
      'select pg_catalog.clock_timestamp() + ahead from public.moved_clock'`)
}

/** @param ahead such as `1 day` or `-2 hours`; `0` for the real time */
export async function moveClock(pool: pg.Pool, ahead: string): Promise<void> {
  await pool.query('update public.moved_clock set ahead = $1::interval', [ahead])
}
