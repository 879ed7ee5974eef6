import { parentPort, workerData } from 'node:worker_threads'
import { createIngest } from '../flows/ingest/ingest.ts'
import { takeDelivery } from '../http/body/take-delivery.ts'
import { HttpProblem } from '../http/api/problem.ts'
import { connectionOf, makePool } from '../store/connect.ts'
import { forwardingLog } from './forwarding-log.ts'
import { giveWay } from './give-way.ts'
import type { IngestReport, IngestSetup, TakeTask } from './ingest-messages.ts'
import type { CloseTask, ThreadReport } from './thread.ts'

/** Transactions of large deliveries at once: more of them keep small ones waiting, and hardly store more. */
const LARGE_LANES = 1

giveWay()
const port = parentPort!
const report = (message: ThreadReport | IngestReport) => port.postMessage(message)

const { database, taken, backfillReachMs, sessions, waitingMax } = workerData as IngestSetup
const log = forwardingLog(report)
const connection = typeof database === 'string' ? connectionOf(database)! : database
const pool = makePool(connection, { max: sessions, applicationName: 'farthing', log })
const ingest = await createIngest({ pool, log, taken, backfillReachMs, waitingMax, lanes: LARGE_LANES })

port.on('message', (task: TakeTask | CloseTask) => void (task.kind === 'take' ? take(task) : close()))
report({ kind: 'ready' })

async function take({ number, sent, body }: TakeTask): Promise<void> {
  try {
    const bytes = Buffer.from(body.buffer)
    const answer = await takeDelivery({ ingest }, { ...sent, body: bytes })
    report({ kind: 'taken', number, taken: answer })
  } catch (error) {
    if (error instanceof HttpProblem) {
      const { code, message, headers } = error
      report({ kind: 'problem', number, code, detail: message, headers })
    } else report({ kind: 'bug', number, error })
  }
}

async function close(): Promise<void> {
  await ingest.close()
  await pool.end()
  port.close()
}
