import type { ImportStatus } from '../../api/imports.ts'
import { agree, countOf, readableNumber, readableTime, safeText } from '../../core/present/readable-text.ts'
import { CommandFailed, EXIT } from '../terminal/command-failed.ts'
import { showProgress } from '../terminal/progress.ts'
import type { ServerApi } from '../client/server-api.ts'
import { conclude, remark } from '../terminal/terminal.ts'
import { waitForBills } from './wait-for-bills.ts'

/** Wait until the past hours of an import have their bills, and say so. */
export async function importBills(
  api: ServerApi,
  name: string,
  { signal, json }: { readonly signal: AbortSignal; readonly json: boolean },
): Promise<void> {
  reportBills(await wait(api, name, signal), json)
}

async function wait(api: ServerApi, name: string, signal: AbortSignal): Promise<ImportStatus | undefined> {
  let [done, all] = [0, 0]
  const shown = showProgress(() => ({
    share: done / Math.max(all, 1),
    text:
      all === 0
        ? 'waiting for bills'
        : `waiting for bills: ${readableNumber(String(done))} of ${countOf(all, 'hour')} settled`,
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

function reportBills(status: ImportStatus | undefined, json: boolean): void {
  if (!status) {
    remark(
      'The bills of past hours come when the hours were quiet for a while: this key may not ask for them now.',
    )
  } else if (status.open > 0) {
    const open = `${countOf(status.open, 'hour')} still open, because others write to ${agree(status.open, 'it', 'them')} too:`
    const hours = status.shared.map(
      ({ account, hour }) => `  ${readableTime(hour)} UTC of ${safeText(account)}`,
    )
    const then = agree(status.open, 'It is billed when it was', 'They are billed when they were')
    conclude([open, ...hours, `${then} quiet for a while.`].join('\n'), { json, colour: 'yellow' })
  } else {
    conclude('Every past hour has its bill.', { json, colour: 'green' })
  }
}
