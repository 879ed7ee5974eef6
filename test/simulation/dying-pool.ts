import type pg from 'pg'

/** What a statement comes to: it is not sent, or it is done and its answer is lost. */
export type Death = 'before' | 'after' | undefined

export type Fate = (statement: string) => Death | Promise<Death>

export class ProcessDied extends Error {
  override readonly name = 'ProcessDied'
  /** As of a session that is lost: nothing about what was asked. */
  readonly code = '08006'
}

/**
 * A pool whose sessions may die at any statement: such a session answers nothing more, and PostgreSQL rolls back, as when
 * it finds it closed. Or one that lives, and is slow.
 * @param fate asked once before each statement, with its text; the statement waits for the answer
 */
export function dyingPool(pool: pg.Pool, fate: Fate): pg.Pool {
  return poolOf(pool, () => newHeartbeat(fate))
}

/** A process with a pool, which dies at any statement as a whole. */
export interface DyingProcess {
  readonly pool: pg.Pool
  /** Wait until PostgreSQL has rolled back what it had begun. */
  buried(): Promise<void>
}

export function dyingProcess(pool: pg.Pool, fate: Fate): DyingProcess {
  const life = newHeartbeat(fate)
  return { pool: poolOf(pool, () => life), buried: async () => void (await Promise.all(life.burials)) }
}

function poolOf(pool: pg.Pool, heartbeatOf: () => Life): pg.Pool {
  const dying = {
    query: (statement: string | pg.QueryConfig, values?: unknown[]) =>
      typeof statement === 'string'
        ? ask(heartbeatOf(), statement, () => pool.query(statement, values))
        : ask(heartbeatOf(), statement.text, () => pool.query(statement)),
    connect: async () => dyingClient(heartbeatOf(), await pool.connect()),
  }
  return dying as unknown as pg.Pool
}

function newHeartbeat(fate: Fate): Life {
  return { fate, isOver: false, burials: [] }
}

interface Life {
  readonly fate: Fate
  isOver: boolean
  readonly burials: Promise<void>[]
}

function die(life: Life, text: string): never {
  life.isOver = true
  throw new ProcessDied(text)
}

async function ask<Result>(life: Life, text: string, work: () => Promise<Result>): Promise<Result> {
  const death = life.isOver ? 'before' : await life.fate(text)
  if (death === 'before' || life.isOver) die(life, text)
  const result = await work()
  return death === 'after' ? die(life, text) : result
}

function dyingClient(life: Life, client: pg.PoolClient): pg.PoolClient {
  const dying = {
    query(statement: string | pg.Submittable | pg.QueryConfig, values?: unknown[]) {
      if (typeof statement === 'string') return ask(life, statement, () => client.query(statement, values))
      if (!('submit' in statement)) return ask(life, statement.text, () => client.query(statement))
      // A COPY is a stream: its answer is that of the statement after it.
      const death = life.isOver ? 'before' : life.fate('copy')
      if (death === 'before' || death === 'after') die(life, 'copy')
      return client.query(statement)
    },
    release(destroy?: Error | boolean) {
      if (!life.isOver) return client.release(destroy)
      life.burials.push(
        client.query('rollback').then(
          () => client.release(),
          (error: Error) => client.release(error),
        ),
      )
    },
  }
  return dying as unknown as pg.PoolClient
}
