import { expect, test } from 'vitest'
import { type Hour, hourOf, startOf } from '../../src/core/time/hour.ts'
import { formatInstant, type Instant } from '../../src/core/time/instant.ts'
import { endLevels } from '../../src/flows/settle/end-levels.ts'
import { putAccount } from '../../src/flows/accounts/put-account.ts'
import { makePool } from '../../src/store/connect.ts'
import { differences, settleAll } from '../simulation/drive.ts'
import { deployment } from './deployment.ts'
import { makeClockMovable, movable, moveClock } from './moved-clock.ts'

// Guarantee: a closed account stores nothing, also if the database's clock was behind when it was closed: a standby took
// over, or the clock was set back. Levels of "later" hours had been accepted by then.
test('a closing under a clock that is behind ends levels of hours that have not come by that clock', async () => {
  const now = hourOf(Date.now() as Instant)
  const deployed = await deployment((now - 4) as Hour)
  const pool = makePool(movable(deployed.connection))
  try {
    await makeClockMovable(pool)
    const level = (dataset: string, hour: number) => ({
      specversion: '1.0',
      id: dataset,
      source: 's',
      type: 'farthing.storage',
      subject: 'acme',
      time: formatInstant(startOf(hour as Hour)),
      data: { project: 'p', dataset, bytes: '1000' },
    })
    const sent = await deployed.send([level('before', now - 3), level('now', now)])
    expect(sent).toEqual(['accepted', 'accepted'])
    await moveClock(pool, '-2 hours')
    const put = await putAccount(pool, 'test', 'acme', { closedAt: startOf((now - 2) as Hour) })
    expect(put.ok).toBe(true)
    await endLevels({ pool, stopping: () => false })
    await moveClock(pool, '0')
    await settleAll(deployed)
    const lines = (await deployed.billsOf('acme')).flatMap((bill) => bill.lines)
    const stored = lines.filter(({ component, quantity }) => component === 'storage' && quantity !== '0')
    expect(new Set(stored.map(({ usageHour }) => usageHour - now))).toEqual(new Set([-3]))
    expect(await differences(deployed.pool)).toEqual([])
  } finally {
    await pool.end()
    await deployed.close()
  }
})
