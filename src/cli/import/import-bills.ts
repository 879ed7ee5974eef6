import type { ImportStatus } from '../../api/imports.ts'
import { countOf, readableNumber, readableTime, safeText } from '../../core/present/readable-text.ts'
import { CommandFailed, EXIT } from '../terminal/command-failed.ts'
import { showProgress } from '../terminal/progress.ts'
import type { ServerApi } from '../client/server-api.ts'
import { say } from '../terminal/terminal.ts'
import { waitForBills } from './wait-for-bills.ts'

/** Wait until the past hours of an import have their bills, and say so on standard error. */
export async function importBills(api: ServerApi, name: string, signal: AbortSignal): Promise<void> {
  reportBills(await wait(api, name, signal))
}
async function wait(api: ServerApi, name: string, signal: AbortSignal): Promise<ImportStatus | undefined> {
  let [done, all] = [0, 0]
  const shown = showProgress(() => ({
    share: done / Math.max(all, 1),
    text:
      all === 0
        ? 'waiting for bills'
        : `waiting for bills: ${readableNumber(String(done))} of ${countOf(String(all), 'hour')} settled`,
  }))
  try {
    return await waitForBills(api, name, {
      signal,
      onProgress: (...now) => ([done, all] = now),
    })
  } catch (error) {
    if (!signal.aborted) throw error
    throw new CommandFailed(
      'Stopped. Everything was sent, and the bills come by themselves.',
      EXIT.interrupted,
    )
  } finally {
    shown.end()
  }
}

/** To standard error: the result is what became of the events. */
function reportBills(status: ImportStatus | undefined): void {
  if (!status) {
    say(
      'The bills of past hours come when the hours were quiet for a while: this key may not ask for them now.',
    )
  } else if (status.open > 0) {
    say(`${countOf(String(status.open), 'hour')} still open, because others write to them too:`, 'yellow')
    for (const { account, hour } of status.shared) say(`  ${readableTime(hour)} UTC of ${safeText(account)}`)
    say('They are billed when they were quiet for a while.')
  } else {
    say('Every past hour has its bill.', 'green')
  }
}
