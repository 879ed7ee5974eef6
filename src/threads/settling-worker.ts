import { parentPort, workerData } from 'node:worker_threads'
import { startBackgroundJobs } from '../flows/background-jobs.ts'
import { identityOf } from '../flows/log/log-keys.ts'
import { connectionOf, makePool } from '../store/connect.ts'
import { forwardingLog } from './forwarding-log.ts'
import { giveWay } from './give-way.ts'
import type { SettlingSetup } from './settling-thread.ts'
import type { ThreadReport } from './thread.ts'

giveWay()
const port = parentPort!
const report = (message: ThreadReport) => port.postMessage(message)

const { database, sessions, signing, ...settings } = workerData as SettlingSetup
const log = forwardingLog(report)
const connection = typeof database === 'string' ? connectionOf(database)! : database
const pool = makePool(connection, { max: sessions, applicationName: 'farthing', log })
const settler = startBackgroundJobs({ pool, log, ...settings, identity: identityOf(signing) })

port.once('message', () => void close())
report({ kind: 'ready' })

async function close(): Promise<void> {
  await settler.stop()
  await pool.end()
  port.close()
}
