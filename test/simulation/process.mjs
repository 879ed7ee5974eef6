// A process of its own on a test's database, running the compiled program. Its parent says in one argument, as JSON,
// what to do, tells it when to stop, and gets one message with what it did. See process.ts.
import { prepare } from '../../bin/prepare.mjs'

prepare()
const { makePool } = await import('../../dist/src/store/connect.js')
const { createIngest } = await import('../../dist/src/flows/ingest/ingest-events.js')
const { settlePass } = await import('../../dist/src/flows/settle/settle.js')

const HOUR_MS = 3_600_000
const log = { info() {}, warn() {}, error: ({ err }, text) => console.error(text, err) }

const told = { stop: false }
process.once('message', () => (told.stop = true))
process.send('ready')

const ROLES = { write, settle }
const { role, connection, ...asked } = JSON.parse(process.argv[2])
const done = await ROLES[role](asked)
process.send(done, () => process.disconnect())

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

/** Settle until told to stop. @returns in how many hours it had a part */
async function settle({ graceMs, historyQuietMs, identityWindowMs }) {
  const pool = makePool(connection, { max: 4 })
  let hours = 0
  while (!told.stop) {
    hours += await settlePass({ pool, graceMs, historyQuietMs, identityWindowMs, stopping: () => told.stop })
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await pool.end()
  return { hours }
}
