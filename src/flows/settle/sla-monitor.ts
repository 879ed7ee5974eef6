import { formatHour, type Hour } from '../../core/time/hour.ts'
import type { Log } from '../../store/connect.ts'
import type { Watermarks } from '../../store/deployment.ts'
import { BILLS_WITHIN_MS, hoursDue, isInDanger, unsettledMs } from './billing-sla.ts'

/** While hours are made up for, how far it is, is said this often. */
const PROGRESS_MS = 5_000

export interface SlaMonitor {
  /** Told where the deployment stands, again and again; and how far all is settled that is not set aside. */
  look(watermarks: Watermarks, front?: Hour): void
  /** Told of every hour that was settled. */
  settled(hour: Hour, isBackfill: boolean): void
}

/**
 * Says when an hour's bills are in danger of being late, and when they are not any more; and how far it is when many
 * hours are due at once, as after an outage.
 */
export function makeSlaMonitor(log: Log, graceMs: number): SlaMonitor {
  let isDangerSaid = false
  let catchingUp: { readonly sinceMs: number; saidMs: number; hours: number } | undefined

  function lookForDanger(watermarks: Watermarks): void {
    const lagMs = unsettledMs(watermarks)
    const isDanger = isInDanger(lagMs)
    if (isDanger === isDangerSaid) return
    isDangerSaid = isDanger
    if (!isDanger) return log.info({}, 'No hour is in danger any more: bills come in time')
    const left = Math.max(Math.floor((BILLS_WITHIN_MS - lagMs) / 60_000), 0)
    const fields = {
      hour: formatHour(watermarks.settledUntil),
      hoursDue: hoursDue(watermarks, graceMs),
      minutesLeft: left,
    }
    log.warn(
      fields,
      'An hour is in danger: its bills are not issued, and are promised within an hour of its end',
    )
  }

  function lookForProgress(watermarks: Watermarks): void {
    const nowMs = performance.now()
    const left = hoursDue(watermarks, graceMs)
    if (left <= 1) {
      if (catchingUp) log.info({ hours: catchingUp.hours }, 'Caught up: every hour that is due has its bills')
      catchingUp = undefined
      return
    }
    catchingUp ??= { sinceMs: nowMs, saidMs: nowMs - PROGRESS_MS, hours: 0 }
    if (nowMs - catchingUp.saidMs < PROGRESS_MS) return
    const { hours, sinceMs } = catchingUp
    catchingUp.saidMs = nowMs
    const perMinute = Math.round((hours / Math.max(nowMs - sinceMs, 1)) * 60_000)
    log.info(
      { hoursLeft: left, hoursDone: hours, hoursPerMinute: perMinute },
      'Catching up, oldest hour first',
    )
  }

  return {
    look(watermarks, front = watermarks.settledUntil) {
      lookForDanger(watermarks)
      lookForProgress({ ...watermarks, settledUntil: front })
    },
    settled(hour, isBackfill) {
      log.info({ hour: formatHour(hour), late: isBackfill }, 'Settled an hour')
      if (catchingUp && !isBackfill) catchingUp.hours++
    },
  }
}
