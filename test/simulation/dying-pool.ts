import type pg from 'pg'

/** What a statement comes to: it is not sent, or it is done and its answer is lost. */
export type Death = 'before' | 'after' | undefined

export type Fate = (statement: string) => Death | Promise<Death>

export class ProcessDied extends Error {
  override readonly name = 'ProcessDied'
}

/**
 * A pool as a process sees it that may die at any statement: from then on its session answers nothing more, and
 * PostgreSQL rolls back, as when it finds a session closed. Or one that lives, and is slow.
 * @param fate asked once before each statement, with its text; the statement waits for the answer
 */
export function dyingPool(pool: pg.Pool, fate: Fate): pg.Pool {
  const dying = {
    async query(text: string, values: unknown[]) {
      const death = await fate(text)
      if (death === 'before') throw new ProcessDied(text)
      const result = await pool.query(text, values)
      if (death === 'after') throw new ProcessDied(text)
      return result
    },
    connect: async () => dyingClient(await pool.connect(), fate),
  }
  return dying as unknown as pg.Pool
}

function dyingClient(client: pg.PoolClient, fate: Fate): pg.PoolClient {
  let isDead = false
  const die = (text: string): never => {
    isDead = true
    throw new ProcessDied(text)
  }
  async function ask(text: string, values?: unknown[]) {
    const death = isDead ? 'before' : await fate(text)
    if (death === 'before') die(text)
    const result = await client.query(text, values)
    return death === 'after' ? die(text) : result
  }
  const dying = {
    query(statement: string | pg.Submittable, values?: unknown[]) {
      if (typeof statement === 'string') return ask(statement, values)
      // A COPY is a stream: its answer is that of the statement after it.
      const death = isDead ? 'before' : fate('copy')
      if (death === 'before' || death === 'after') die('copy')
      return client.query(statement)
    },
    release(destroy?: Error | boolean) {
      if (!isDead) return client.release(destroy)
      client.query('rollback').then(
        () => client.release(),
        (error: Error) => client.release(error),
      )
    },
  }
  return dying as unknown as pg.PoolClient
}
