// Loaded into a process (--import) that has a fault of this kind when it gets SIGUSR2: see bugs.test.ts.
import { isMainThread } from 'node:worker_threads'
import pg from 'pg'

/** An error of the real driver, with a row in its members. */
async function driverError() {
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL })
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query('select fail()')
  } catch (error) {
    return error
  } finally {
    await client.end()
  }
}

const FAULTS = {
  'a rejection': (error) => void Promise.reject(error),
  'an exception': (error) => setImmediate(() => thrown(error)),
  'an exception in a tick': (error) => process.nextTick(() => thrown(error)),
  'a cause': (error) => void Promise.reject(new Error('around it', { cause: error })),
  'several errors': (error) => void Promise.reject(new AggregateError([error], 'all of them')),
  'an event without a listener': (error) => setImmediate(() => new pg.Client().emit('error', error)),
  'what is no error': (error) => void Promise.reject({ ...error }),
}

function thrown(error) {
  throw error
}

if (isMainThread && process.env.FAULT) {
  process.on('SIGUSR2', () => void driverError().then(FAULTS[process.env.FAULT]))
}
