// A process of its own on a test's database, running the compiled program. Its parent says in one argument, as JSON,
// what to do, tells it when to stop, and gets one message with what it did. See process.ts.
import { prepare } from '../../bin/prepare.mjs'

prepare()
const { makePool: makeRealPool } = await import('../../dist/src/store/connect.js')
const { startHeartbeat } = await import('../../dist/src/store/heartbeat.js')
const { createIngest } = await import('../../dist/src/flows/ingest/ingest.js')
const { settlePass } = await import('../../dist/src/flows/settle/settle.js')

const HOUR_MS = 3_600_000
const log = { info() {}, warn() {}, error: ({ err }, text) => console.error(text, err) }

const told = { stop: false, stopped: false }
process.once('message', () => (told.stop = true))
process.send('ready')

const ROLES = { write, settle, deliver, hold }
const { role, connection, stopsAt, ...asked } = JSON.parse(process.argv[2])
const heartbeat = await startHeartbeat({
  connection,
  log: { ...log, warn: (fields, text) => console.error(text, fields) },
})
const done = await ROLES[role](asked)
await heartbeat.stop()
process.send(done, () => process.disconnect())

function makePool(...args) {
  const pool = makeRealPool(...args)
  if (stopsAt) pool.on('connect', (client) => stopAt(client, stopsAt))
  return pool
}

/** Stop this process at its first statement that contains `text`: when that is done, or, if it is a COPY, halfway. */
function stopAt(client, text) {
  const query = client.query.bind(client)
  client.query = (statement, ...rest) => {
    const answer = query(statement, ...rest)
    const sent = typeof statement === 'string' ? statement : statement.text
    if (told.stopped || !sent?.includes(text)) return answer
    if (typeof answer.then !== 'function') {
      stopHalfway(answer)
      return answer
    }
    // What follows it waits.
    return answer.then(async (result) => {
      await stopNow()
      return result
    })
  }
}

function stopHalfway(stream) {
  const end = stream.end.bind(stream)
  stream.end = (chunk) => {
    const middle = chunk.length >> 1
    stream.write(chunk.slice(0, middle), async () => {
      // The rows are on their way to the server, which waits for the rest.
      await new Promise((resolve) => setTimeout(resolve, 100))
      await stopNow()
      end(chunk.slice(middle))
    })
  }
}

/** SIGSTOP, until somebody sends SIGCONT. */
function stopNow() {
  if (told.stopped) return
  told.stopped = true
  return new Promise((resolve) => {
    process.send('stopping', () => {
      process.kill(process.pid, 'SIGSTOP')
      setTimeout(resolve, 100)
    })
  })
}

/**
 * Send one delivery, again and again until it is answered, as a client does.
 * @returns what became of the events, and how often it was asked to send them again
 */
async function deliver({ events }) {
  const pool = makePool(connection, { max: 4 })
  const ingest = await createIngest({ pool, log: { ...log, error() {} } })
  for (let repeats = 0; ; repeats++) {
    const submitted = await ingest.submit(events.map((raw) => ({ raw })))
    if (!submitted.ok) continue
    await ingest.close()
    await pool.end()
    return { repeats, outcomes: submitted.results.map(({ outcome }) => outcome) }
  }
}

/** Run statements in a transaction, or in a session, and stop while holding what they lock. */
async function hold({ statements }) {
  const pool = makePool(connection, { max: 1 })
  const client = await pool.connect()
  client.on('error', () => undefined)
  for (const statement of statements) await client.query(statement)
  await stopNow()
  const ended = await client.query('select 1').then(
    () => false,
    () => true,
  )
  client.release(true)
  await pool.end()
  return { ended }
}

/**
 * Send usage at full speed, around the hour that is about to be sealed, from some senders at once.
 * @returns how many events were accepted, by account and usage hour
 */
async function write({ name, accounts, senders, batch }) {
  const accepted = {}
  await Promise.all(Array.from({ length: senders }, (_, index) => send(`${name}-${index}`)))
  return { accepted }

  async function send(source) {
    const pool = makePool(connection, { max: 4 })
    const ingest = await createIngest({ pool, log })
    for (let number = 0; !told.stop; number++) {
      const { rows } = await pool.query('select sealed_until from deployment')
      const events = Array.from({ length: batch }, (_, index) => {
        const hour = Math.min(
          rows[0].sealed_until - 1 + ((number + index) % 3),
          Math.floor(Date.now() / HOUR_MS),
        )
        const subject = accounts[(number + index) % accounts.length]
        const time = new Date(hour * HOUR_MS + index).toISOString()
        const data = { operation: 'Get', status: 200 }
        const id = `${number}-${index}`
        return { specversion: '1.0', id, source, type: 'farthing.request', subject, time, data }
      })
      const submitted = await ingest.submit(events.map((raw) => ({ raw })))
      if (!submitted.ok) throw new Error(submitted.detail)
      for (const [index, { outcome }] of submitted.results.entries()) {
        if (outcome !== 'accepted') throw new Error(`the answer is ${outcome}`)
        const hour = `${events[index].subject} ${Math.floor(Date.parse(events[index].time) / HOUR_MS)}`
        accepted[hour] = (accepted[hour] ?? 0) + 1
      }
    }
    await ingest.close()
    await pool.end()
  }
}

/** Settle until told to stop. @returns in how many hours it had a part, and passes that failed after it was stopped */
async function settle({ graceMs, backfillQuietMs, identityWindowMs }) {
  const pool = makePool(connection, { max: 4 })
  let [hours, failures] = [0, 0]
  while (!told.stop) {
    try {
      hours += await settlePass({
        pool,
        graceMs,
        backfillQuietMs,
        identityWindowMs,
        stopping: () => told.stop,
      })
    } catch (error) {
      if (!told.stopped) throw error
      failures++
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await pool.end()
  return { hours, failures }
}
