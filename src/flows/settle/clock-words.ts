import type { ClockAlarm } from '../../core/time/clock.ts'
import type { ClockDelay } from '../../core/time/clock-gap.ts'
import { formatHourStart, type Hour } from '../../core/time/hour.ts'
import { formatInstant, type Instant } from '../../core/time/instant.ts'

const ADVICE = 'Set it right; or, if it is right, run `farthing settle --clock-is-right`.'

/** Why nothing is sealed, and what to do. */
export function alarmText({ at, acceptedAt, kind }: ClockAlarm): string {
  const [shown, expected] = [at, acceptedAt].map((instant) => formatInstant(instant))
  const reasons: Record<ClockAlarm['kind'], string> = {
    jump: `the database clock jumped to ${shown} when it was ${expected}`,
    process: `the database clock showed ${shown} when the clock of a Farthing process showed ${expected}`,
    usage: `the database clock showed ${shown} when the newest arriving usage was of ${expected}`,
  }
  return `Nothing is sealed: ${reasons[kind]}. ${ADVICE}`
}

/** Why live hours are not sealed yet, and what to do. */
export function delayText({ since, from, until }: ClockDelay): string {
  const [last, shown, end] = [since, from, until].map((instant) => formatInstant(instant))
  const gap = `the database clock was last seen at ${last}, and then at ${shown}`
  return `No live hour is sealed until ${end}: ${gap}. If it is wrong, stop Farthing and set it right; if it is right, there is nothing to do.`
}

/** The clock was ahead when hours were sealed, and is back. */
export function aheadText(sealedUntil: Hour, now: Instant): string {
  const [end, shown] = [formatHourStart(sealedUntil), formatInstant(now)]
  return `Hours are sealed until ${end}, and the database clock shows ${shown}: it was ahead. Usage until then is billed as backfill or as corrections, and nothing more is sealed.`
}
