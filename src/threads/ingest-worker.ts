import { parentPort, workerData } from 'node:worker_threads'
import type { Instant } from '../core/time/instant.ts'
import { createTrial } from '../flows/ingest/dry-run.ts'
import { createIngest } from '../flows/ingest/ingest.ts'
import { answerDelivery } from '../http/answer-delivery.ts'
import type { Stores } from '../http/body/delivery-types.ts'
import { HttpProblem } from '../http/api/problem.ts'
import { connectionOf, makePool } from '../store/connect.ts'
import { tellStoring } from '../store/writable.ts'
import { forwardingLog } from './forwarding-log.ts'
import { giveWay } from './give-way.ts'
import type { IngestReport, IngestSetup, TakeTask } from './ingest-messages.ts'
import type { CloseTask, ThreadReport } from './thread.ts'

/** Transactions of large deliveries at once: more of them keep small ones waiting, and hardly store more. */
const LARGE_LANES = 1

giveWay()
const port = parentPort!
const report = (message: ThreadReport | IngestReport) => port.postMessage(message)

tellStoring((trouble) => report({ kind: 'storing', trouble }))

const { database, taken, backfillReachMs, seriesMax, sessions, waitingMax } = workerData as IngestSetup
const rules = { taken, backfillReachMs, seriesMax }
const log = forwardingLog(report)
const connection = typeof database === 'string' ? connectionOf(database)! : database
const pool = makePool(connection, { max: sessions, applicationName: 'farthing', log })
const ingest = await createIngest({ pool, log, ...rules, waitingMax, lanes: LARGE_LANES })
const trial = createTrial({ pool, ...rules })

port.on('message', (task: TakeTask | CloseTask) => void (task.kind === 'take' ? take(task) : close()))
report({ kind: 'ready' })

async function take({ number, sent, body }: TakeTask): Promise<void> {
  try {
    const stores = storesTold(() => report({ kind: 'read', number }))
    const answer = await answerDelivery({ ...sent, body: Buffer.from(body.buffer) }, stores)
    report({ kind: 'answer', number, answer })
  } catch (error) {
    if (error instanceof HttpProblem) {
      const { code, message, headers } = error
      report({ kind: 'problem', number, code, detail: message, headers })
    } else report({ kind: 'bug', number, error })
  }
}

/** @param onRead told when the body is read, before its events can be stored */
function storesTold(onRead: () => void): Stores {
  return {
    ingest: {
      submit(...submitted) {
        onRead()
        return ingest.submit(...submitted)
      },
    },
    trial: {
      tryEvents(batch, account, writer) {
        onRead()
        return trial.tryEvents(batch, account, pool, writer)
      },
    },
    now: () => Date.now() as Instant,
  }
}

async function close(): Promise<void> {
  await ingest.close()
  await pool.end()
  port.close()
}
