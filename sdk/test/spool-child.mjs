// A process that counts calls until it is killed. It says `try` before each call, `took` when the call's promise has
// resolved, and `sent` when everything taken until then was delivered.
import { writeSync } from 'node:fs'
import { createMeter } from '@farthing/sdk'
import { closeOnSignals, fileSpool } from '@farthing/sdk/node'

const { calls, account, pauseMs, folder, fsync, flushEvery, close, ending, files, ...options } = JSON.parse(
  process.argv[2],
)
const say = (text) => writeSync(1, `${text}\n`)
const spool = folder === undefined ? undefined : fileSpool({ folder, fsync })
const onProblem = ({ kind, code, detail, events }) =>
  say(`problem ${kind} ${code} ${events.length} ${detail.slice(0, 100)}`)
const meter = createMeter({ ...options, ...(spool && { spool }), onProblem })

for (let at = 0; at < calls; at++) {
  const [operation, project] = [at % 3 ? 'SimpleQuery' : 'FuzzyQuery', `p${at % files}`]
  say('try')
  const isTaken = await meter.request({ account, operation, project, status: 200 })
  say(isTaken ? 'took' : 'dropped')
  if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs))
  if (flushEvery && at % flushEvery === flushEvery - 1 && (await meter.flush())) say(`sent ${at + 1}`)
}
if (close) say(`closed ${await meter.close({ timeoutMs: close })}`)
say(`stats ${JSON.stringify(meter.stats())}`)
if (ending === 'on signals') closeOnSignals(meter)
// Until it is killed.
if (!close && ending !== 'at once') setInterval(() => {}, 1000)
say('end')
